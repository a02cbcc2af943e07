package dev.sund.it.run;

import java.util.List;

/** Where a worker runs that may make links, rules and namespaces. */
final class Isolation {
  /**
   * Own network, mount and process namespaces; all in them ends with the worker, and the worker
   * with the runner, whatever ends that: an emulator does not notice that nobody speaks to it any
   * more, and would go on for as long as it may.
   *
   * <p>The lock of {@code iptables} is a file of its own too: by default that program does not wait
   * for another, and would fail while a test in another worker uses it.
   *
   * <p>The kernel watches the thread that starts the worker, which therefore has to outlive it.
   */
  static final List<String> PREFIX =
      List.of(
          "setpriv",
          "--pdeathsig",
          "KILL",
          "unshare",
          "--mount",
          "--net",
          "--pid",
          "--fork",
          "--mount-proc",
          "--kill-child",
          "sh",
          "-c",
          "for dir in /run/netns /run/sund-lab /run/sund-test; do"
              + " mkdir -p $dir && mount -t tmpfs -o mode=755 sund-test $dir || exit 1; done;"
              + " for file in /run/sund-test/xtables.lock /run/xtables.lock; do"
              + " touch $file || exit 1; done;"
              + " mount --bind /run/sund-test/xtables.lock /run/xtables.lock || exit 1;"
              + " ip link set lo up && \"$@\"; exit $?",
          "sund-test-worker");

  private Isolation() {}
}
