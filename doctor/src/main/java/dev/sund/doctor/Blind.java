package dev.sund.doctor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** What of the node cannot be seen from where this program runs, though files are there. */
public enum Blind {
  /** Files of the network show another network namespace than the node's. */
  NETWORK,
  /** Files and processes are those of a container; only what the kernel says is the node's. */
  FILES;

  /** Mounts of this process: the fifth word is where, the one after a dash the type (proc(5)). */
  private static final String MOUNTS = "proc/self/mountinfo";

  /** Threads of the kernel are seen by who shares the process namespace of the machine. */
  private static final String KERNEL_THREAD = "proc/2/comm";

  /** First processes of what is a machine to its users: LXC, OpenVZ, nodes made of containers. */
  private static final Set<String> INITS =
      Set.of("systemd", "init", "runit", "openrc-init", "s6-svscan", "dinit");

  /** File systems that runtimes give containers as their root. */
  private static final Set<String> LAYERED = Set.of("overlay", "fuse.fuse-overlayfs", "aufs");

  /**
   * Files that podman and the kubelet put into containers. Docker's ({@code .dockerenv}) is left in
   * machines whose disks were made of an image, and its root is layered.
   */
  private static final List<String> MARKS =
      List.of("run/.containerenv", "var/run/secrets/kubernetes.io/serviceaccount/token");

  /** What this process does not see of its node under a root. */
  public static Set<Blind> here(Path root) {
    Path own = Path.of("/");
    return root.equals(own) && (ProcessHandle.current().pid() == 1 || isContainers(own))
        ? Set.of(FILES)
        : Set.of();
  }

  /**
   * Whether a root is a container's: processes of its own whose first one starts no machine, and
   * files that a runtime put together. What cannot be read speaks against none of both.
   */
  static boolean isContainers(Path root) {
    return !firstLine(root.resolve(KERNEL_THREAD)).equals("kthreadd")
        && !INITS.contains(firstLine(root.resolve("proc/1/comm")))
        && (MARKS.stream().anyMatch(mark -> Files.exists(root.resolve(mark))) || isLayered(root));
  }

  private static boolean isLayered(Path root) {
    try (Stream<String> mounts = Files.lines(root.resolve(MOUNTS))) {
      return mounts.anyMatch(mount -> {
        String[] words = mount.split(" ");
        int type = List.of(words).indexOf("-") + 1;
        return words.length > 4
            && words[4].equals("/")
            && type > 0
            && type < words.length
            && LAYERED.contains(words[type]);
      });
    } catch (IOException | UncheckedIOException _) {
      return false;
    }
  }

  private static String firstLine(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException _) {
      return "";
    }
  }
}
