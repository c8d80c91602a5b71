# Static probes (src/trace/probes.hpp) need <sys/sdt.h>, from systemtap-sdt-dev, and nothing else.
set(WEFT_USDT AUTO CACHE STRING "Static probes for bpftrace and perf: ON, OFF, or AUTO, where <sys/sdt.h> is there")
set_property(CACHE WEFT_USDT PROPERTY STRINGS AUTO ON OFF)

include(CheckIncludeFileCXX)
check_include_file_cxx(sys/sdt.h WEFT_HAS_SDT)
if(WEFT_USDT STREQUAL "AUTO")
  set(probes ${WEFT_HAS_SDT})
elseif(WEFT_USDT AND NOT WEFT_HAS_SDT)
  message(FATAL_ERROR "WEFT_USDT is ON and <sys/sdt.h> is missing: install systemtap-sdt-dev, or say -DWEFT_USDT=AUTO")
else()
  set(probes ${WEFT_USDT})
endif()

# weft_drop_other_probes(LIST): leaves one of probes_usdt.cpp and probes_none.cpp in it.
function(weft_drop_other_probes list)
  if(probes)
    list(FILTER ${list} EXCLUDE REGEX "/probes_none[.]cpp$")
  else()
    list(FILTER ${list} EXCLUDE REGEX "/probes_usdt[.]cpp$")
  endif()
  set(${list} ${${list}} PARENT_SCOPE)
endfunction()
