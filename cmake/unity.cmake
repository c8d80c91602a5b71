# weft_unity(): each folder of the library is compiled as one file, in a third of the time. That shows
# the compiler more than the library's own build does, and never less. What has flags of its own
# stays alone, and so do the files whose private names clash.
function(weft_unity)
  set(alone base/current base/errno base/stack_memory debug debug/hog debug/runners net/tcp_listener
    sched/stackless)
  get_target_property(sources weft SOURCES)
  foreach(source IN LISTS sources)
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${weft_SOURCE_DIR}/src OUTPUT_VARIABLE path)
    cmake_path(GET path PARENT_PATH folder)
    cmake_path(REMOVE_EXTENSION path)
    if(source MATCHES "[.]cpp$" AND NOT path IN_LIST alone)
      string(REGEX REPLACE "/.*" "" folder "${folder}")
      set_source_files_properties(${source} TARGET_DIRECTORY weft
        PROPERTIES UNITY_GROUP "in_${folder}")
    endif()
  endforeach()
  set_target_properties(weft PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  target_compile_options(weft PRIVATE -Wno-shadow)  # of one file's names by another's
endfunction()
