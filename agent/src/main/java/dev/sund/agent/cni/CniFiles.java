package dev.sund.agent.cni;

import dev.sund.agent.local.Json;
import dev.sund.model.Condition;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What a container runtime reads: the plugin's program and the conflist that names it. A runtime
 * takes a node for able to run pods as soon as there is a conflist, so it is written last and only
 * when the agent can serve.
 *
 * <p>How are the files known as ours? By their names in {@link Marks}, and the conflist by the
 * plugin that it names; a conflist of our name for another plugin is left alone. What happens when
 * we die here? Each file is the old or the new one, since it is renamed into its place.
 *
 * @param confDir where the runtime looks for conflists, such as {@code /etc/cni/net.d}
 * @param binDir where it looks for plugins, such as {@code /opt/cni/bin}
 * @param plugin the plugin's program as built
 */
public record CniFiles(Path confDir, Path binDir, Path plugin) {
  /** Where runtimes look for conflists unless told otherwise. */
  public static final Path DEFAULT_CONF_DIR = Path.of("/etc/cni/net.d");

  /** Where runtimes look for plugins unless told otherwise. */
  public static final Path DEFAULT_BIN_DIR = Path.of("/opt/cni/bin");

  /**
   * The conflist. Its version is 1.0.0, which every runtime in use understands; newer ones choose
   * 1.1.0 from {@code cniVersions} and then call GC and STATUS.
   */
  public static String conflist() {
    Map<String, Object> capabilities = new LinkedHashMap<>();
    RoutedNetwork.CAPABILITIES.forEach(name -> capabilities.put(name, true));
    Map<String, Object> plugin = new LinkedHashMap<>();
    plugin.put("type", Marks.PLUGIN);
    plugin.put("capabilities", capabilities);
    Map<String, Object> list = new LinkedHashMap<>();
    list.put("cniVersion", CniVersion.V1_0_0.text());
    list.put("cniVersions", List.of(CniVersion.V1_0_0.text(), CniVersion.V1_1_0.text()));
    list.put("name", "sund");
    list.put("plugins", List.of(plugin));
    return Json.write(list) + "\n";
  }

  /**
   * Puts both files where they belong, unless they are there.
   *
   * @return what stands in the way; empty when a runtime will use them
   */
  public List<Condition> ensure() {
    List<Condition> problems = new ArrayList<>();
    Path program = binDir.resolve(Marks.PLUGIN);
    Path list = confDir.resolve(Marks.CONFLIST);
    try {
      byte[] wanted = Files.readAllBytes(plugin);
      replace(program, wanted, "rwxr-xr-x");
    } catch (IOException e) {
      return List.of(refused(program, e));
    }
    try {
      if (Files.exists(list) && !isOurs(list)) {
        return List.of(
            new Condition(
                Reason.CNI_NOT_INSTALLED,
                new ObjectRef("file", list.toString()),
                "",
                "It is there and does not name the plugin " + Marks.PLUGIN + ". It is left alone.",
                "Move it away."));
      }
      replace(list, conflist().getBytes(StandardCharsets.UTF_8), "rw-r--r--");
      problems.addAll(before());
    } catch (IOException e) {
      problems.add(refused(list, e));
    }
    return problems;
  }

  /**
   * Removes the files that are ours.
   *
   * @param dryRun only say what would be done
   * @return one line for each file
   * @throws IOException when one cannot be removed
   */
  public static List<String> remove(Path confDir, Path binDir, boolean dryRun) throws IOException {
    List<String> done = new ArrayList<>();
    Path list = confDir.resolve(Marks.CONFLIST);
    // The conflist goes first: without it a runtime takes the node for one without network.
    if (Files.exists(list) && isOurs(list)) {
      done.add("remove conflist " + list);
      if (!dryRun) {
        Files.delete(list);
      }
    }
    Path program = binDir.resolve(Marks.PLUGIN);
    if (Files.exists(program)) {
      done.add("remove plugin " + program);
      if (!dryRun) {
        Files.delete(program);
      }
    }
    return done;
  }

  /** Runtimes take the first conflist by name. */
  private List<Condition> before() throws IOException {
    try (Stream<Path> files = Files.list(confDir)) {
      return files
          .map(file -> String.valueOf(file.getFileName()))
          .filter(name -> name.matches(".*\\.(conf|conflist|json)"))
          .sorted()
          .takeWhile(name -> name.compareTo(Marks.CONFLIST) < 0)
          .findFirst()
          .map(name ->
              new Condition(
                  Reason.CONFLIST_SHADOWED,
                  new ObjectRef("file", confDir.resolve(name).toString()),
                  "",
                  "It comes before " + Marks.CONFLIST + ", so container runtimes use it instead.",
                  "Move it away when its network is to be replaced by Sund."))
          .stream()
          .toList();
    }
  }

  private static boolean isOurs(Path list) throws IOException {
    return Files.readString(list).contains('"' + Marks.PLUGIN + '"');
  }

  private static void replace(Path file, byte[] wanted, String permissions) throws IOException {
    try {
      if (java.util.Arrays.equals(Files.readAllBytes(file), wanted)) {
        return;
      }
    } catch (NoSuchFileException _) {
      Files.createDirectories(file.getParent());
    }
    Path fresh = file.resolveSibling("." + file.getFileName() + ".new"); // runtimes skip dot files
    Files.write(fresh, wanted);
    Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString(permissions));
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private static Condition refused(Path file, IOException e) {
    return new Condition(
        Reason.CNI_NOT_INSTALLED,
        new ObjectRef("file", file.toString()),
        "",
        "It cannot be written: " + e.getClass().getSimpleName() + " " + e.getMessage() + ".",
        "Mount the runtime's folder into the agent for writing, or make room on the disk; it is"
            + " tried again.");
  }
}
