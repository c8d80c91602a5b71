# WEFT_SANITIZE=address,undefined or thread instruments every target of this build tree but the
# models.
if(WEFT_SANITIZE)
  add_compile_options(-fsanitize=${WEFT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${WEFT_SANITIZE})
endif()

option(WEFT_TSAN_SCHEDULER "ThreadSanitizer looks at weft's own code, not for races between fibers" OFF)

# weft_sanitized(LIBRARY INTERFACE): the library under ThreadSanitizer, which is to see the user's
# accesses and the order that weft promises, not the scheduler's own (src/base/sanitizer_thread.hpp).
function(weft_sanitized library switching)
  if(NOT WEFT_SANITIZE MATCHES thread)
    return()
  endif()
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    message(FATAL_ERROR "WEFT_SANITIZE=thread needs clang 19 or newer (-DCMAKE_CXX_COMPILER=clang++-19): "
      "the ThreadSanitizer of gcc 12 knows 8,128 fibers at most")
  endif()
  target_compile_definitions(${switching} INTERFACE
    WEFT_THREAD_SANITIZER=$<IF:$<BOOL:${WEFT_TSAN_SCHEDULER}>,2,1>)
  if(WEFT_TSAN_SCHEDULER)
    return()
  endif()
  target_compile_options(${library} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-sanitize=thread>)
  # But std::stop_state is the user's as well as ours: its atomics count wherever they are compiled.
  set(atomics_only -fsanitize=thread)
  foreach(kind memory-accesses memintrinsics func-entry-exit)
    string(APPEND atomics_only " -mllvm -tsan-instrument-${kind}=0")
  endforeach()
  set_source_files_properties(src/fiber/extras.cpp src/park/cancel.cpp PROPERTIES
    COMPILE_FLAGS "${atomics_only}")
  # ThreadSanitizer has its own memcpy and the like, which check whoever calls them; and has those of
  # its runtime, which do not.
  foreach(name memcpy memmove memset)
    list(APPEND unchecked --redefine-sym ${name}=__sanitizer_internal_${name})
  endforeach()
  add_custom_command(TARGET ${library} POST_BUILD
    COMMAND ${CMAKE_OBJCOPY} ${unchecked} $<TARGET_FILE:${library}> VERBATIM)
endfunction()
