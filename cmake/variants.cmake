# What depends on the architecture, on what switches contexts, or on chaos mode (WEFT_CHAOS), lies
# in folders of its own inside src/base, src/context and tests/asm: variants, of which one is
# compiled, so that no source asks which one it is. Headers of a variant are included by their bare
# names.
set(WEFT_ARCH ${CMAKE_SYSTEM_PROCESSOR} CACHE STRING "The architecture; one that weft has no code for tries the generic variants")
set(WEFT_CONTEXT asm CACHE STRING "What switches contexts: asm, our own instructions; boost, Boost.Context")
set_property(CACHE WEFT_CONTEXT PROPERTY STRINGS asm boost)

set(base_variant ${WEFT_ARCH})
set(context_variant ${WEFT_CONTEXT})
set(context_includes ${PROJECT_SOURCE_DIR}/src/context/${WEFT_CONTEXT})
if(WEFT_CONTEXT STREQUAL asm)
  if(NOT EXISTS ${PROJECT_SOURCE_DIR}/asm/${WEFT_ARCH}.S)
    message(FATAL_ERROR "weft has no context switch of its own for ${WEFT_ARCH}: asm/${WEFT_ARCH}.S is "
      "missing. -DWEFT_CONTEXT=boost takes Boost.Context's")
  endif()
  set(context_variant ${WEFT_ARCH})
  set(context_includes ${PROJECT_SOURCE_DIR}/src/context/${WEFT_ARCH})
elseif(WEFT_CONTEXT STREQUAL boost)
  if(NOT IS_DIRECTORY ${PROJECT_SOURCE_DIR}/src/base/${WEFT_ARCH})
    set(base_variant generic)
  endif()
  set(frame_variant ${WEFT_ARCH})
  if(NOT IS_DIRECTORY ${PROJECT_SOURCE_DIR}/src/context/boost/${WEFT_ARCH})
    set(frame_variant generic)
  endif()
  list(APPEND context_includes ${PROJECT_SOURCE_DIR}/src/context/boost/${frame_variant})
else()
  message(FATAL_ERROR "WEFT_CONTEXT is \"${WEFT_CONTEXT}\"; it is asm or boost")
endif()
set(chaos_variant plain)
if(WEFT_CHAOS)
  set(chaos_variant chaos)
endif()
set(variants base/${base_variant} base/${chaos_variant} context/${context_variant} asm/${WEFT_ARCH})

# weft_drop_variants(LIST): takes the sources of other variants out of it.
function(weft_drop_variants list)
  set(kept "")
  foreach(source IN LISTS ${list})
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE path)
    if(NOT path MATCHES "^(src|tests)/((base|context|asm)/[^/]+)/" OR CMAKE_MATCH_2 IN_LIST variants)
      list(APPEND kept ${source})
    endif()
  endforeach()
  set(${list} ${kept} PARENT_SCOPE)
endfunction()

# What code that looks inside is compiled with: the library, and tests of its parts.
add_library(weft_switching INTERFACE)
target_include_directories(weft_switching INTERFACE ${PROJECT_SOURCE_DIR}/src
  ${PROJECT_SOURCE_DIR}/src/base/${base_variant} ${PROJECT_SOURCE_DIR}/src/base/${chaos_variant}
  ${context_includes})
# Boost's switch does not ask for it: with one set of flags, the tests of both are the same objects.
if(WEFT_ARCH STREQUAL "x86_64")
  target_compile_options(weft_switching INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-mno-red-zone>)
  target_compile_definitions(weft_switching INTERFACE WEFT_NO_RED_ZONE)
endif()
if(WEFT_CONTEXT STREQUAL boost)
  find_package(Boost 1.78 CONFIG REQUIRED COMPONENTS context)
  target_link_libraries(weft_switching INTERFACE Boost::context)
endif()
