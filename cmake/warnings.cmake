# weft_warnings(TARGET): the warnings our own code is held to; errors where weft is built for itself,
# but not in another project's build, with a compiler or options that we have not seen.
# No -Wnull-dereference, no -Wuseless-cast and no -Wrestrict: gcc 12 reports them in correct template
# code, the last at -O3.
function(weft_warnings target)
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:
    $<$<BOOL:${PROJECT_IS_TOP_LEVEL}>:-Werror> -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wdouble-promotion
    -Wold-style-cast -Wcast-align -Wcast-qual -Wnon-virtual-dtor -Woverloaded-virtual -Wformat=2
    -Wundef -Wextra-semi -Wimplicit-fallthrough -Wvla>
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wduplicated-cond -Wlogical-op -Wno-restrict>)
endfunction()
