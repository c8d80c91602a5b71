# The migration matrix (preset migration): nothing but its cells, each a build of the library and of
# one program by a compiler and flags of its own. docs/context-switch.md, "Migration".
set_target_properties(weft PROPERTIES EXCLUDE_FROM_ALL ON)
set(WEFT_MIGRATION_CELLS gcc_lto clang_lto gcc_O3 clang_O3 gcc_O2 clang_O2 gcc_O0 clang_O0
  CACHE STRING "Which cells of the migration matrix are built and run")
set(WEFT_MIGRATION_ROUNDS 1000000 CACHE STRING "How many times a fiber changes threads in each")

# Each with one job, and as many at once as there are jobs.
foreach(cell ${WEFT_MIGRATION_CELLS})
  set(build ${PROJECT_BINARY_DIR}/${cell})
  add_custom_target(migration_${cell} ALL
    COMMAND ${CMAKE_COMMAND} -E env JOBS=1 ${CMAKE_CURRENT_LIST_DIR}/cell ${cell} ${build}
    COMMENT "Migration matrix: ${cell}" VERBATIM)

  add_test(NAME migration.${cell} COMMAND ${build}/migration ${WEFT_MIGRATION_ROUNDS})
  set_tests_properties(migration.${cell} PROPERTIES TIMEOUT 120 PROCESSORS 2 LABELS migration)
  # The mistake that compilers may make, made on purpose: it must show where they optimise.
  if(NOT cell MATCHES "_O0$")
    add_test(NAME migration.${cell}.control COMMAND ${build}/migration --control)
    set_tests_properties(migration.${cell}.control PROPERTIES
      TIMEOUT 120 PROCESSORS 2 LABELS migration)
  endif()
  if(WEFT_ARCH STREQUAL "x86_64" AND WEFT_CONTEXT STREQUAL "asm")
    add_test(NAME migration.${cell}.machine_code COMMAND Python3::Interpreter
      ${CMAKE_CURRENT_LIST_DIR}/machine_code.py ${CMAKE_OBJDUMP} ${build}/migration)
    set_tests_properties(migration.${cell}.machine_code PROPERTIES TIMEOUT 60 LABELS migration)
  endif()
endforeach()
