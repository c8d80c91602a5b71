# Tests that need the real machine: not what it computes, but its kernel, its debugger, its pace.
# They have the ctest label `native`. In a cross build, whose programs an emulator runs, ctest counts
# them as not run (Disabled).
set(native_unit "")
# gdb: it traces a process of its own architecture, and core files are the kernel's.
# The environment: the kernel gives set-user-ID rights to programs that it runs itself.
# The faults and overflows: stderr must hold nothing else, and qemu writes a line of its own there
# when a signal ends the program.
# The forked children: qemu 7.2 fails an assertion of its own there (cpu-exec.c: cpu == current_cpu).
set(native_api
  gdb.*
  environment.*
  other_fault.of_a_null_pointer other_fault.of_a_thread_outside
  other_fault.a_signal_that_was_sent_kills_or_is_ignored
  other_fault.an_array_overrun_into_the_next_guard other_fault.a_wild_pointer_into_the_own_guard
  overflow.names_the_fiber_where_it_was_spawned_its_stack_and_what_to_change
  overflow.of_two_fibers_at_a_time_tears_no_line overflow.is_not_reported_when_switched_off
  life.a_forked_child_of_a_kernel_thread life.a_forked_child_of_a_fiber)
set(native_asm "")
set(native_stress "")
