# Sourced by ./luciola and ./test.

JDK25_MISSING="JDK 25 is needed and was not found: install one (for example Temurin 25, or the package openjdk-25-jdk) or set JAVA_HOME to it"

# Whether the folder holds a JDK 25, by its release file: no JVM is started for it.
is_jdk25() {
  [ -x "$1/bin/javac" ] && [ -r "$1/release" ] && grep -q '^JAVA_VERSION="25[."]' "$1/release"
}

# Sets JDK25 to the home of a JDK 25: JAVA_HOME, the usual folders, the java on PATH.
find_jdk25() {
  local dir java
  for dir in "${JAVA_HOME:-}" /usr/lib/jvm/* /usr/java/* /opt/* /opt/java/* "$HOME"/.sdkman/candidates/java/* \
    "$HOME"/.jdks/* /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    if [ -n "$dir" ] && is_jdk25 "$dir"; then
      JDK25=$dir
      return 0
    fi
  done
  if java=$(command -v java); then
    dir=$(dirname "$(dirname "$(readlink -f "$java")")")
    if is_jdk25 "$dir"; then
      JDK25=$dir
      return 0
    fi
  fi
  return 1
}
