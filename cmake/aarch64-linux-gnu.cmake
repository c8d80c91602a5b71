# Cross build for AArch64 with Debian's compiler, programs run by qemu: the preset aarch64.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
# pauth-impdef: pointer authentication by a quicker hash than the architecture's.
set(CMAKE_CROSSCOMPILING_EMULATOR
  qemu-aarch64 -cpu max,pauth-impdef=on -L /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
# fmt is used by its headers alone: those of this machine do.
file(GLOB fmt_DIR /usr/lib/*/cmake/fmt)
