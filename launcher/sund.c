/*
 * bin/sund of a distribution: starts the Java program beside it, with the run time beside it.
 *
 *   sund-VERSION-linux-ARCH/
 *     bin/sund       this program, static: it needs no shell and no library of the system
 *     bin/sund-cni   the CNI plugin
 *     runtime/       a Java run time of just the modules that Sund uses, and its own
 *     jvm/           options of the JVM: common to all commands, and those of agents
 *     lib/           Sund and the libraries it uses
 *     cli.aot, agent.aot   ahead-of-time caches, where there are any
 *
 * Exit code 3 when the JVM cannot be started, as of every command that could not run.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int COULD_NOT_RUN = 3;

static void fail(const char *what, const char *name) {
  fprintf(stderr, "sund: %s %s: %s\n", what, name, strerror(errno));
  exit(COULD_NOT_RUN);
}

static char *text(const char *format, ...) {
  char *result;
  va_list arguments;
  va_start(arguments, format);
  if (vasprintf(&result, format, arguments) < 0) {
    fail("no memory for", format);
  }
  va_end(arguments);
  return result;
}

/* The folder above the one that this program lies in. */
static char *home(const char *called) {
  char path[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  int bare = length < 0; /* no /proc, as in a bare chroot: then by the name it was called by */
  if (bare) {
    if (strchr(called, '/') == NULL || realpath(called, path) == NULL) {
      fail("cannot find the folder of", called);
    }
  } else {
    path[length] = '\0';
  }
  for (int i = 0; i < 2; i++) {
    char *slash = strrchr(path, '/');
    if (slash == NULL) {
      fail("is not in a folder of a distribution:", called);
    }
    *slash = '\0';
  }
  if (bare) { /* without /proc the dynamic linker does not find what lies beside a program either */
    setenv("LD_LIBRARY_PATH", text("%s/runtime/lib", path), 1);
  }
  return text("%s", path);
}

static int is_jar(const struct dirent *entry) {
  size_t length = strlen(entry->d_name);
  return length > 4 && strcmp(entry->d_name + length - 4, ".jar") == 0;
}

/* The jars of lib/ in the order of their names: an ahead-of-time cache is of one class path. */
static char *class_path(const char *home) {
  struct dirent **entries;
  char *lib = text("%s/lib", home);
  int count = scandir(lib, &entries, is_jar, alphasort);
  if (count < 0) {
    fail("cannot read", lib);
  }
  char *path = text("%s", "");
  for (int i = 0; i < count; i++) {
    path = text("%s%s%s/%s", path, i == 0 ? "" : ":", lib, entries[i]->d_name);
  }
  return path;
}

/* The command is the first argument that is no option. */
static const char *command(int count, char **arguments) {
  for (int i = 1; i < count; i++) {
    if (arguments[i][0] != '-') {
      return arguments[i];
    }
  }
  return "";
}

int main(int count, char **arguments) {
  const char *folder = home(arguments[0]);
  const char *name = command(count, arguments);
  int agent = strcmp(name, "agent") == 0;
  const char *training = getenv("SUND_TRAIN"); /* cli or agent: when a distribution is made */
  const char *record = getenv("SUND_RECORD");  /* where the JVM then writes what it has seen */

  char **line = calloc((size_t)count + 24, sizeof *line);
  if (line == NULL) {
    fail("no memory for", "arguments");
  }
  int n = 0;
  line[n++] = text("%s/runtime/bin/java", folder);
  line[n++] = text("@%s/jvm/common", folder);
  if (agent) {
    line[n++] = text("@%s/jvm/agent", folder);
  }
  char *cache = text("%s/%s.aot", folder, agent ? "agent" : "cli");
  struct stat found;
  if (training != NULL && strcmp(training, "cli") == 0) {
    record = cache;
  }
  if (record != NULL) {
    line[n++] = text("-XX:AOTCacheOutput=%s", record);
  } else if (training == NULL && stat(cache, &found) == 0) {
    line[n++] = text("-XX:AOTCache=%s", cache);
  }
  line[n++] = "-cp";
  line[n++] = class_path(folder);
  line[n++] = text("-Dsund.launcher=%s/bin/sund", folder);
  line[n++] = text("-Dsund.plugin=%s/bin/sund-cni", folder);
  line[n++] = text("-Dsund.root=%s", folder);
  line[n++] = training != NULL ? "dev.sund.cli.AotTraining" : "dev.sund.cli.Main";
  for (int i = 1; i < count; i++) {
    line[n++] = arguments[i];
  }
  line[n] = NULL;
  execv(line[0], line);
  fail("cannot start", line[0]);
}
