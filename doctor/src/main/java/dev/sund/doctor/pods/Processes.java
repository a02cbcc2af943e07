package dev.sund.doctor.pods;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The processes of this node, in which network each is and for which container it runs. Processes
 * come and go while they are looked at: one that has gone is left out.
 */
final class Processes {
  /** Ids of containers; conmon, a container's watcher, has one in its name and is not in it. */
  private static final Pattern CONTAINER = Pattern.compile("(?<!conmon-)\\b([0-9a-f]{64})\\b");

  private static final Pattern CONMON = Pattern.compile("conmon-[0-9a-f]{64}");

  private final Path proc;

  /**
   * A process.
   *
   * @param pid its number
   * @param network which network it is in: {@code net:[4026531840]}
   * @param cgroups where it stands in control groups, as its file says
   */
  record Running(long pid, String network, String cgroups) {
    /** The containers that its control groups name, innermost last. */
    List<String> containers() {
      List<String> ids = new ArrayList<>();
      Matcher found = CONTAINER.matcher(CONMON.matcher(cgroups).replaceAll(""));
      while (found.find()) {
        if (!ids.contains(found.group(1))) {
          ids.add(found.group(1));
        }
      }
      return ids;
    }

    /** Whether a pod's uid is in its control groups, as the kubelet writes it. */
    boolean isOfPod(String uid) {
      return cgroups.contains("pod" + uid) || cgroups.contains("pod" + uid.replace('-', '_'));
    }
  }

  Processes(Path root) {
    this.proc = root.resolve("proc");
  }

  /** Where a process's network can be entered. */
  Path namespace(long pid) {
    return proc.resolve(Long.toString(pid)).resolve("ns/net");
  }

  /** The node's network: that of its first process, or where that is not shown this process's. */
  Optional<String> ofNode() {
    return network("1").or(() -> network("self"));
  }

  /** A process; empty when there is none or it may not be seen. */
  Optional<Running> process(long pid) {
    return network(Long.toString(pid)).map(network -> new Running(pid, network, cgroups(pid)));
  }

  /** All of them, by number; those that may not be seen are left out. */
  List<Running> all() {
    TreeSet<Long> pids = new TreeSet<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(proc, "[0-9]*")) {
      for (Path entry : entries) {
        String name = String.valueOf(entry.getFileName());
        if (name.matches("[0-9]{1,10}")) {
          pids.add(Long.parseLong(name));
        }
      }
    } catch (IOException _) {
      return List.of();
    }
    List<Running> all = new ArrayList<>();
    pids.forEach(pid -> process(pid).ifPresent(all::add));
    return all;
  }

  /** A file that shows the network of a process, such as {@code fib_trie}. */
  String networkFile(long pid, String name) throws IOException {
    return Files.readString(proc.resolve(pid + "/net/" + name));
  }

  /** Whether there is a process of this number, seen or not. */
  boolean has(long pid) {
    return Files.isDirectory(proc.resolve(Long.toString(pid)));
  }

  private Optional<String> network(String process) {
    try {
      return Optional.of(Files.readSymbolicLink(proc.resolve(process + "/ns/net")).toString());
    } catch (IOException | UnsupportedOperationException _) {
      return Optional.empty();
    }
  }

  private String cgroups(long pid) {
    try {
      return Files.readString(proc.resolve(pid + "/cgroup"));
    } catch (IOException _) {
      return "";
    }
  }
}
