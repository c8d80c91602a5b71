# Tests that need the real machine: not what it computes, but its kernel, its debugger, its pace.
# They have the ctest label `native`. In a cross build, whose programs an emulator runs, ctest counts
# them as not run (Disabled).

# /proc names the system call in which a thread is blocked by the host's number.
set(native_unit
  thread_activity.*)
# gdb: it traces a process of its own architecture, and core files are the kernel's.
# The forked children: in one that makes threads qemu 7.2 fails an assertion of its own
# (qemu_plugin_vcpu_init_hook).
# Calls that block: as thread_activity.
# Other rights: the kernel gives them to a program that it runs itself.
# stackless_death: the emulator does not obey RLIMIT_AS, so nothing is refused.
set(native_api
  gdb.*
  life.a_forked_child_of_a_kernel_thread life.a_forked_child_of_a_fiber
  sync_process.a_forked_child_passes_over_the_parents_waiters
  fork_handlers.that_run_in_the_child_may_wait fork_handlers.do_not_end_runtimes_that_begin_in_the_child
  hog.that_blocks_in_the_kernel_is_reported_with_the_call dump.shows_what_call_blocks_a_fiber
  environment.is_ignored_by_a_program_with_other_rights
  workers/stackless_death.*)
set(native_asm "")
set(native_stress "")
