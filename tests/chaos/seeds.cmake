# Everything once for each seed. A test of ctest is a whole program under one seed, or a part of the
# largest: a process that has run two thousand tests has so many mappings that each fork takes long.
set(WEFT_CHAOS_SEEDS 20 CACHE STRING "How many seeds the suite runs under")
set(WEFT_CHAOS_FIRST 1 CACHE STRING "The first of them")
math(EXPR last "${WEFT_CHAOS_FIRST} + ${WEFT_CHAOS_SEEDS} - 1")
set(run ${CMAKE_CURRENT_SOURCE_DIR}/chaos/run)

add_custom_target(weft_seeds)  # all that they run
foreach(kind unit asm api stress chaos fault)
  add_dependencies(weft_seeds weft_${kind}_tests)
endforeach()

# First without chaos: the debug build's checks alone.
add_test(NAME chaos.seed_none.fault COMMAND ${run} none $<TARGET_FILE:weft_fault_tests>)
set_tests_properties(chaos.seed_none.fault PROPERTIES TIMEOUT 600 LABELS seeds COST 1000)  # sleeps much
set(seeds none)
foreach(seed RANGE ${WEFT_CHAOS_FIRST} ${last})
  list(APPEND seeds ${seed})
endforeach()
set(parts 4)
foreach(seed ${seeds})
  foreach(kind unit asm stress chaos)
    add_test(NAME chaos.seed_${seed}.${kind} COMMAND ${run} ${seed} $<TARGET_FILE:weft_${kind}_tests>)
    set_tests_properties(chaos.seed_${seed}.${kind} PROPERTIES TIMEOUT 600 LABELS seeds)
  endforeach()
  foreach(part RANGE 1 ${parts})
    math(EXPR index "${part} - 1")
    set(test chaos.seed_${seed}.api_${part}_of_${parts})
    add_test(NAME ${test} COMMAND ${run} ${seed} $<TARGET_FILE:weft_api_tests>)
    set_tests_properties(${test} PROPERTIES TIMEOUT 600 LABELS seeds
      ENVIRONMENT "GTEST_SHARD_INDEX=${index};GTEST_TOTAL_SHARDS=${parts}")
  endforeach()
endforeach()
