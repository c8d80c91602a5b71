# Of what ctest has printed: the tests that failed, with the beginning of what they said.
# awk -v leg=NAME -f failures.awk build/NAME.ctest
/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
  shown = 0
  if (/\*\*\*/ && !/\*\*\*(Skipped|Not Run)/) {
    shown = 60
    print "== " leg ": " $0
  }
  next
}
/^ +Start +[0-9]+: / || /^[0-9]+% tests passed/ { next }
shown > 0 {
  print
  if (--shown == 0) print "   ... the rest: build/" leg ".ctest"
}
