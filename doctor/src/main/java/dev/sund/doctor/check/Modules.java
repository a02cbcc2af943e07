package dev.sund.doctor.check;

import dev.sund.doctor.Host;
import dev.sund.doctor.UnreadException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The kernel's modules: which are there, and which lists name them for the next start. */
public final class Modules {
  /** The list of {@code sund tune}. */
  public static final String OURS = "etc/modules-load.d/sund.conf";

  private static final List<String> LISTS =
      List.of("etc/modules-load.d", "usr/lib/modules-load.d", "lib/modules-load.d");

  private Modules() {}

  /**
   * Whether the kernel has it: loaded, or a part of itself.
   *
   * @throws UnreadException when it cannot be told
   */
  public static boolean isThere(Host host, String module) throws UnreadException {
    // What is part of the kernel itself has no line, and mostly a folder.
    return host.text("proc/modules").lines().anyMatch(line -> line.startsWith(module + " "))
        || host.has("sys/module/" + module)
        || isBuiltIn(host, module);
  }

  /**
   * Whether it is a part of the kernel itself.
   *
   * @throws UnreadException when it cannot be told
   */
  public static boolean isBuiltIn(Host host, String module) throws UnreadException {
    String release = host.textIfThere("proc/sys/kernel/osrelease").orElse("");
    return host.textIfThere("lib/modules/" + release + "/modules.builtin")
        .orElse("")
        .contains("/" + module + ".ko");
  }

  /**
   * What is loaded when the node starts: the lists' lines, by their files.
   *
   * @throws UnreadException when a list cannot be read
   */
  public static Map<String, List<String>> lists(Host host) throws UnreadException {
    List<String> files = new ArrayList<>();
    for (String folder : LISTS) {
      for (String name : host.names(folder)) {
        if (name.endsWith(".conf")) {
          files.add(folder + "/" + name);
        }
      }
    }
    files.add("etc/modules");
    Map<String, List<String>> lists = new LinkedHashMap<>();
    for (String file : files) {
      lists.put(file, host.textIfThere(file).orElse("").lines().map(String::strip).toList());
    }
    return lists;
  }
}
