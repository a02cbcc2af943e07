package dev.sund.doctor;

import java.nio.file.Path;
import java.util.Set;

/** What of the node cannot be seen from where this program runs, though files are there. */
public enum Blind {
  /** Files of the network show another network namespace than the node's. */
  NETWORK,
  /** Files and processes are those of a container; only what the kernel says is the node's. */
  FILES;

  /**
   * What this process does not see of its node under a root: the first process of a container has
   * the container's files and processes.
   */
  public static Set<Blind> here(Path root) {
    return root.equals(Path.of("/")) && ProcessHandle.current().pid() == 1
        ? Set.of(FILES)
        : Set.of();
  }
}
