// Built with a sanitizer that the library it links is not built for.
#include <weft/weft.hpp>

int main() {
  return weft::run([] { return 0; });
}
