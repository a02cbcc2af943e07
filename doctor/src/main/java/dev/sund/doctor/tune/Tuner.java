package dev.sund.doctor.tune;

import dev.sund.doctor.Setting;
import dev.sund.doctor.WholeFile;
import dev.sund.doctor.check.SysctlFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Applies a {@link TunePlan} and takes it back. What was there before is written to the state
 * directory first, so that also a run that was killed in the middle is taken back by {@link
 * #revert}; a run that fails takes itself back.
 */
public final class Tuner {
  private static final String SYS = "proc/sys";
  private static final String CONF4 = "net/ipv4/conf";
  private static final String CONF6 = "net/ipv6/conf";

  private final Path root;
  private final Path stateDirectory;
  private final KernelModules modules;
  private final Consumer<String> passed;
  private final List<String> done = new ArrayList<>();
  private final Deque<Undo> undo = new ArrayDeque<>();

  /** One step back. */
  private record Undo(String what, Step step) {}

  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }

  /**
   * For one machine.
   *
   * @param root where its file systems are
   * @param stateDirectory where what was before is kept
   * @param passed is told of each key that has been set
   */
  public Tuner(Path root, Path stateDirectory, KernelModules modules, Consumer<String> passed) {
    this.root = root;
    this.stateDirectory = stateDirectory;
    this.modules = modules;
    this.passed = passed;
  }

  /** Whether something was applied and not reverted. */
  public static boolean isApplied(Path stateDirectory) {
    return Files.exists(stateDirectory.resolve(TuneState.FILE));
  }

  /**
   * Makes it so: modules, running values, each read back, then the files.
   *
   * @return what was done, a line each; nothing when all was so already
   * @throws NotTunedException when a step failed; all before it has been taken back
   * @throws IOException when what is there now cannot be kept: nothing has been changed
   */
  public List<String> apply(TunePlan plan) throws IOException, NotTunedException {
    done.clear();
    undo.clear();
    if (!plan.changes()) {
      return List.of();
    }
    Optional<TuneState> prior = TuneState.read(stateDirectory);
    TuneState state = prior.map(TuneState::copy).orElseGet(TuneState::empty);
    keepFiles(plan, state);
    plan.modules().stream()
        .filter(module -> !module.loaded() && !state.modules().contains(module.name()))
        .forEach(module -> state.modules().add(module.name()));
    keepValues(plan, state);
    state.write(stateDirectory);
    String step = "";
    try {
      for (TunePlan.Module module : plan.modules()) {
        if (!module.loaded()) {
          step = "the module " + module.name();
          load(module.name());
        }
      }
      step = stateDirectory.resolve(TuneState.FILE).toString();
      keepValues(plan, state); // of the keys that came with the modules
      state.write(stateDirectory);
      for (TunePlan.Key key : plan.keys()) {
        step = key.written();
        set(key);
      }
      for (TunePlan.File file : plan.files()) {
        step = "/" + file.path();
        write(file, state);
      }
      return List.copyOf(done);
    } catch (IOException e) {
      String left = takeBack(prior);
      throw new NotTunedException("Stopped at " + step + ": " + said(e) + ". " + left, remedy(e));
    }
  }

  private void keepFiles(TunePlan plan, TuneState state) throws IOException {
    for (TunePlan.File file : plan.files()) {
      Path place = root.resolve(file.path());
      if (!state.files().containsKey(file.path())) {
        state
            .files()
            .put(
                file.path(),
                new TuneState.Before(
                    Files.exists(place)
                        ? Optional.of(Files.readAllBytes(place))
                        : Optional.empty()));
        Path folder = Objects.requireNonNull(place.getParent());
        String name = root.relativize(folder).toString();
        if (!Files.exists(folder) && !state.folders().contains(name)) {
          state.folders().add(name);
        }
      }
    }
  }

  private void keepValues(TunePlan plan, TuneState state) throws IOException {
    for (TunePlan.Key key : plan.keys()) {
      Optional<String> now = running(key.key());
      if (now.isEmpty()) {
        continue; // its module is loaded first
      }
      TuneState.Key before = state.keys().get(key.key());
      if (before != null) {
        state.keys().put(key.key(), new TuneState.Key(before.before(), key.wanted()));
      } else if (!SysctlFiles.normal(now.get()).equals(key.wanted())) {
        state.keys().put(key.key(), new TuneState.Key(now.get(), key.wanted()));
        for (String other : besides(key.key())) {
          Optional<String> value = running(other);
          value.ifPresent(text -> state.besides().putIfAbsent(other, text));
        }
      }
    }
  }

  /**
   * What the kernel changes with a key: {@code inet_forward_change}, {@code
   * addrconf_fixup_forwarding}.
   */
  private List<String> besides(String key) throws IOException {
    List<String> keys = new ArrayList<>();
    if (key.equals("net/ipv4/ip_forward")) {
      keys.add(CONF4 + "/all/accept_redirects");
      devices(CONF4).forEach(device -> keys.add(CONF4 + "/" + device + "/forwarding"));
    } else if (key.equals(CONF6 + "/all/forwarding")) {
      devices(CONF6).stream()
          .filter(device -> !device.equals("all"))
          .forEach(device -> keys.add(CONF6 + "/" + device + "/forwarding"));
    }
    return keys;
  }

  private List<String> devices(String folder) throws IOException {
    Path place = root.resolve(SYS).resolve(folder);
    if (!Files.isDirectory(place)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(place)) {
      return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
    }
  }

  private void load(String module) throws IOException {
    modules.load(module);
    undo.push(new Undo("the module " + module, () -> modules.unload(module)));
    done.add("loaded " + module);
  }

  private void set(TunePlan.Key key) throws IOException {
    String before =
        running(key.key()).orElseThrow(() -> new IOException("this kernel has no such key"));
    if (SysctlFiles.normal(before).equals(key.wanted())) {
      return;
    }
    List<String> others = besides(key.key());
    for (String other : others) {
      Optional<String> value = running(other);
      if (value.isPresent()) {
        undo.push(new Undo(Setting.Sysctl.written(other), () -> putBack(other, value.get())));
      }
    }
    undo.push(new Undo(key.written(), () -> putBack(key.key(), before)));
    put(key.key(), key.wanted());
    String now = SysctlFiles.normal(running(key.key()).orElse(""));
    if (!now.equals(key.wanted())) {
      throw new IOException("it was set to " + key.wanted() + " and says '" + now + "'");
    }
    done.add("set " + key.written() + " = " + key.wanted() + " (was " + before.strip() + ")");
    passed.accept(key.key());
  }

  private void write(TunePlan.File file, TuneState state) throws IOException {
    if (!file.differs()) {
      return;
    }
    Path place = root.resolve(file.path());
    Optional<byte[]> before =
        Files.exists(place) ? Optional.of(Files.readAllBytes(place)) : Optional.empty();
    Path folder = Objects.requireNonNull(place.getParent());
    if (!Files.exists(folder)) {
      Files.createDirectories(folder);
      undo.push(new Undo(folder.toString(), () -> Files.deleteIfExists(folder)));
    }
    TuneState.replace(place, file.text().getBytes(StandardCharsets.UTF_8));
    undo.push(new Undo("/" + file.path(), () -> restore(place, before)));
    done.add("wrote /" + file.path());
  }

  /** All that was done, backwards; says what came of it. */
  private String takeBack(Optional<TuneState> prior) {
    List<String> stays = new ArrayList<>();
    while (!undo.isEmpty()) {
      Undo one = undo.pop();
      try {
        one.step().run();
      } catch (IOException e) {
        stays.add(one.what() + " (" + said(e) + ")");
      }
    }
    if (!stays.isEmpty()) {
      return "Could not take back: " + String.join(", ", stays) + "; the rest is as it was.";
    }
    try {
      if (prior.isPresent()) {
        prior.get().write(stateDirectory);
      } else {
        Files.deleteIfExists(stateDirectory.resolve(TuneState.FILE));
      }
    } catch (IOException _) {
      return "All is as it was; " + stateDirectory.resolve(TuneState.FILE) + " stays.";
    }
    return "All is as it was.";
  }

  /**
   * Puts back what was before the first {@link #apply}: running values that are still ours, modules
   * that nobody uses, files byte for byte.
   *
   * @param dryRun only say what would be done
   * @return what was done, or would be, a line each; nothing when nothing is applied
   * @throws NotTunedException when the state cannot be read
   * @throws IOException when something could not be put back; what was is kept, try again
   */
  public List<String> revert(boolean dryRun) throws IOException, NotTunedException {
    done.clear();
    Optional<TuneState> found = TuneState.read(stateDirectory);
    if (found.isEmpty()) {
      return List.of();
    }
    TuneState state = found.get();
    List<String> failed = new ArrayList<>();
    List<Map.Entry<String, TuneState.Key>> backwards =
        new ArrayList<>(state.keys().entrySet()).reversed();
    for (Map.Entry<String, TuneState.Key> entry : backwards) {
      attempt(
          failed,
          Setting.Sysctl.written(entry.getKey()),
          () -> revertKey(entry.getKey(), entry.getValue(), dryRun));
    }
    for (Map.Entry<String, String> entry : state.besides().entrySet()) {
      if (!dryRun && backwards.stream().noneMatch(key -> key.getKey().equals(entry.getKey()))) {
        attempt(
            failed,
            Setting.Sysctl.written(entry.getKey()),
            () -> putBack(entry.getKey(), entry.getValue()));
      }
    }
    for (String module : state.modules().reversed()) {
      attempt(
          failed,
          "the module " + module,
          () ->
              done.add(
                  dryRun
                      ? "unload " + module + " unless it is used"
                      : modules.unload(module)
                          ? "unloaded " + module
                          : module + " stays loaded: somebody uses it"));
    }
    for (Map.Entry<String, TuneState.Before> entry : state.files().entrySet()) {
      attempt(
          failed,
          "/" + entry.getKey(),
          () -> {
            if (!dryRun) {
              restore(root.resolve(entry.getKey()), entry.getValue().bytes());
            }
            done.add(
                (entry.getValue().bytes().isPresent() ? "restore /" : "remove /") + entry.getKey());
          });
    }
    if (dryRun) {
      return List.copyOf(done);
    }
    for (String folder : state.folders()) {
      attempt(failed, "/" + folder, () -> removeIfEmpty(root.resolve(folder)));
    }
    if (!failed.isEmpty()) {
      throw new IOException("could not put back " + String.join(", ", failed));
    }
    Files.deleteIfExists(stateDirectory.resolve(TuneState.FILE));
    return List.copyOf(done);
  }

  private void revertKey(String key, TuneState.Key was, boolean dryRun) throws IOException {
    String written = Setting.Sysctl.written(key);
    Optional<String> now = running(key);
    if (now.isEmpty()) {
      done.add(written + " is gone with its device or module");
    } else if (now.get().equals(was.before())) {
      return;
    } else if (!SysctlFiles.normal(now.get()).equals(was.ours())) {
      done.add(
          "%s stays %s: somebody has changed it since (it was %s, and %s by sund tune)"
              .formatted(written, now.get().strip(), was.before().strip(), was.ours()));
    } else {
      if (!dryRun) {
        putBack(key, was.before());
      }
      done.add("set " + written + " = " + was.before().strip() + " again");
    }
  }

  private static void attempt(List<String> failed, String what, Step step) {
    try {
      step.run();
    } catch (IOException e) {
      failed.add(what + " (" + said(e) + ")");
    }
  }

  private static void removeIfEmpty(Path folder) throws IOException {
    try {
      Files.deleteIfExists(folder);
    } catch (DirectoryNotEmptyException _) {
      // Somebody has put a file there since; it is his.
      return;
    }
  }

  private static void restore(Path file, Optional<byte[]> bytes) throws IOException {
    if (bytes.isPresent()) {
      TuneState.replace(file, bytes.get());
    } else {
      Files.deleteIfExists(file);
    }
  }

  /** A running value without its line's end; nothing when the kernel has no such key. */
  private Optional<String> running(String key) throws IOException {
    try {
      String text = WholeFile.text(root.resolve(SYS).resolve(key));
      return Optional.of(text.endsWith("\n") ? text.substring(0, text.length() - 1) : text);
    } catch (NoSuchFileException _) {
      return Optional.empty();
    }
  }

  private void putBack(String key, String value) throws IOException {
    Optional<String> now = running(key);
    if (now.isPresent() && !now.get().equals(value)) {
      put(key, value);
      String then = running(key).orElse("");
      if (!then.equals(value)) {
        throw new IOException("it was set to " + value + " and says '" + then + "'");
      }
    }
  }

  private void put(String key, String value) throws IOException {
    // Without CREATE: a key that the kernel does not have is no file to make.
    Files.write(
        root.resolve(SYS).resolve(key),
        (value + "\n").getBytes(StandardCharsets.UTF_8),
        java.nio.file.StandardOpenOption.WRITE,
        java.nio.file.StandardOpenOption.TRUNCATE_EXISTING);
  }

  private static String said(IOException e) {
    return e instanceof AccessDeniedException
        ? "permission denied"
        : String.valueOf(e.getMessage());
  }

  private static String remedy(IOException e) {
    return e instanceof AccessDeniedException
        ? "Run it as root of the machine itself: a container may not set these."
        : "Mend that, and run it again.";
  }
}
