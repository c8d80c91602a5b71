#pragma once
/// @file
/// Everything but <weft/testing.hpp>, whose namespace testing would hide GoogleTest's from code in
/// namespace weft. Programs that care about compile time include what they use.
#include <weft/barrier.hpp>
#include <weft/blocking.hpp>
#include <weft/cancel_shield.hpp>
#include <weft/channel.hpp>
#include <weft/condition_variable.hpp>
#include <weft/coroutine.hpp>
#include <weft/deadline.hpp>
#include <weft/debug.hpp>
#include <weft/event.hpp>
#include <weft/fiber.hpp>
#include <weft/future.hpp>
#include <weft/io.hpp>
#include <weft/latch.hpp>
#include <weft/mutex.hpp>
#include <weft/net.hpp>
#include <weft/operation_canceled.hpp>
#include <weft/runtime.hpp>
#include <weft/scope.hpp>
#include <weft/select.hpp>
#include <weft/semaphore.hpp>
#include <weft/shared_mutex.hpp>
#include <weft/source_site.hpp>
#include <weft/when.hpp>
