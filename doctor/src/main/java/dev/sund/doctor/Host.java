package dev.sund.doctor;

import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/**
 * A node as its files show it: this machine, another's file systems mounted somewhere, or a tree
 * that was recorded. Paths are written without the leading slash. Used by one thread at a time.
 *
 * <p>What the kernel shows in no file is read as if it were one, under {@value #FACTS}: see {@link
 * Facts}. A recorded tree has it there.
 *
 * <p>A recorded tree has the earlier sample of what changes under {@value #BEFORE} and the seconds
 * between the two in {@value #WINDOW}.
 */
public final class Host {
  /** Where a recorded tree keeps what was read at first. */
  public static final String BEFORE = "sund-before";

  /** Where a recorded tree says how long it waited, in seconds. */
  public static final String WINDOW = "sund-window";

  /** Where what is in no file is read. */
  public static final String FACTS = "sund-facts";

  /** Where a recorded tree says what could not be read: lines {@code PATH TAB WHY TAB REMEDY}. */
  public static final String UNREAD = "sund-unread";

  private static final int READ_BYTES = 64 << 10;

  private final Path root;
  private final Duration wait;
  private final Pause pause;
  private final Facts facts;
  private final Map<String, String> assumed;
  private final Set<Blind> blind;
  private final @Nullable Recording recording;
  private @Nullable Map<String, UnreadException> unread;
  private final Map<String, String> asked = new LinkedHashMap<>();
  private final Map<String, Parsed> parsed = new HashMap<>();
  private final Map<Class<?>, Shared> sharedByAll = new HashMap<>();
  private final Map<String, String> before = new LinkedHashMap<>();
  private final Set<String> read = new LinkedHashSet<>();
  private final byte[] buffer = new byte[READ_BYTES];
  private double seconds;
  private long begun;
  private @Nullable UnreadException unseen;

  /** What of the node cannot be seen from where this program runs, though files are there. */
  public enum Blind {
    /** Files of the network show another network namespace than the node's. */
    NETWORK,
    /** Files and processes are those of a container; only what the kernel says is the node's. */
    FILES
  }

  /** How time passes. */
  @FunctionalInterface
  public interface Pause {
    /** Waits. */
    void sleep(Duration time) throws InterruptedException;

    /** What time it is, in nanoseconds from an arbitrary moment on. */
    default long nanos() {
      return System.nanoTime();
    }
  }

  /**
   * A node.
   *
   * @param root its file system's root
   * @param wait how long what changes is watched
   * @param facts who tells what is in no file; a recorded tree has it, and needs none
   */
  public Host(Path root, Duration wait, Pause pause, Facts facts) {
    this(root, wait, pause, facts, Set.of());
  }

  /** A node of which not everything is seen: what is not, cannot be read, whatever is there. */
  public Host(Path root, Duration wait, Pause pause, Facts facts, Set<Blind> blind) {
    this(root, wait, pause, facts, blind, Map.of(), null);
  }

  /** The same; what is read is recorded. */
  public Host(
      Path root, Duration wait, Pause pause, Facts facts, Set<Blind> blind, Recording recording) {
    this(root, wait, pause, facts, blind, Map.of(), recording);
  }

  private Host(
      Path root,
      Duration wait,
      Pause pause,
      Facts facts,
      Set<Blind> blind,
      Map<String, String> assumed,
      @Nullable Recording recording) {
    this.root = root;
    this.wait = wait;
    this.pause = pause;
    this.facts = facts;
    this.blind = Set.copyOf(blind);
    this.assumed = Map.copyOf(assumed);
    this.recording = recording;
  }

  /**
   * The same node, as if these files said something else: what would be found then. What changes is
   * not watched again, and nobody is asked again.
   */
  public Host assuming(Map<String, String> files) {
    Map<String, String> all = new HashMap<>(assumed);
    all.putAll(files);
    Host other = new Host(root, wait, pause, facts, blind, all, null);
    other.asked.putAll(asked);
    other.before.putAll(before);
    other.seconds = seconds;
    return other;
  }

  /**
   * What this process does not see of its node under a root: the first process of a container has
   * the container's files and processes.
   */
  public static Set<Blind> blindHere(Path root) {
    return root.equals(Path.of("/")) && ProcessHandle.current().pid() == 1
        ? Set.of(Blind.FILES)
        : Set.of();
  }

  /**
   * A file's text, without blanks at its ends.
   *
   * @throws UnreadException when it is not there or cannot be read
   */
  public String text(String path) throws UnreadException {
    Optional<String> text = textIfThere(path);
    if (text.isEmpty()) {
      throw new UnreadException(
          "/" + path + " is not there",
          "Is the kernel's part loaded, and this file system mounted?");
    }
    return text.get();
  }

  /**
   * A file's text; nothing when there is no such file.
   *
   * @throws UnreadException when it is there and cannot be read
   */
  public Optional<String> textIfThere(String path) throws UnreadException {
    String other = assumed.get(path);
    if (other != null) {
      read.add(path);
      return Optional.of(other);
    }
    if (recording == null) {
      return textOrUnread(path);
    }
    try {
      Optional<String> text = textOrUnread(path);
      text.ifPresent(found -> recording.text(path, found));
      return text;
    } catch (UnreadException e) {
      recording.unread(path, e);
      throw e;
    }
  }

  private Optional<String> textOrUnread(String path) throws UnreadException {
    refuseWhatWasUnread(path);
    if (path.startsWith("proc/sys/net/") && isSeenFromAnotherNetwork()) {
      throw new UnreadException(
          "/" + path + " shows this process's own network and not that of " + root,
          "Run it in the node's network namespace (hostNetwork: true).");
    }
    if (isAsked(path)) {
      return Optional.of(ask(path));
    }
    refuseUnseen(path);
    try {
      String text = textOf(place(path), buffer);
      read.add(path);
      return Optional.of(text.strip());
    } catch (NoSuchFileException | NotDirectoryException _) {
      return Optional.empty();
    } catch (IOException e) {
      throw unread(path, e);
    }
  }

  /**
   * A file's text. Files of the kernel say that they are empty, which makes {@link
   * Files#readAllBytes} begin with a read of one byte: a sysctl gives its first digit then, and no
   * more. So the first read is a large one.
   */
  public static String textOf(Path file) throws IOException {
    return textOf(file, new byte[READ_BYTES]);
  }

  private static String textOf(Path file, byte[] part) throws IOException {
    try (InputStream in = new FileInputStream(file.toFile())) {
      int first = Math.max(0, in.read(part));
      int next = first == 0 ? -1 : in.read(part, first, part.length - first);
      if (next < 0) {
        return new String(part, 0, first, StandardCharsets.UTF_8);
      }
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      bytes.write(part, 0, first + next);
      for (int read = in.read(part); read >= 0; read = in.read(part)) {
        bytes.write(part, 0, read);
      }
      return bytes.toString(StandardCharsets.UTF_8);
    } catch (FileNotFoundException e) {
      throw reason(file, e);
    }
  }

  /** {@code FileInputStream} calls everything "not found". */
  private static IOException reason(Path file, FileNotFoundException e) {
    String name = file.toString();
    if (!Files.exists(file)) {
      return new NoSuchFileException(name);
    }
    String said = String.valueOf(e.getMessage());
    return said.endsWith("(Permission denied)")
        ? new AccessDeniedException(name)
        : new IOException(said.replace(name + " ", ""), e);
  }

  /**
   * What several checks read alike, read once for all checks of a look.
   *
   * @param type by which it is known again
   * @throws UnreadException when it cannot be read; each check that needs it is told
   */
  public <T> T once(Class<T> type, Check.Reading<T> reading) throws UnreadException {
    Shared shared = sharedByAll.get(type);
    if (shared == null) {
      Set<String> outer = new LinkedHashSet<>(read);
      read.clear();
      try {
        T value = reading.read(this);
        refuseWhatWasUnseen();
        shared = new Shared(value, null, readSoFar());
      } catch (UnreadException e) {
        shared = new Shared(null, e, readSoFar());
      }
      sharedByAll.put(type, shared);
      read.addAll(outer);
    }
    read.addAll(shared.sources);
    if (shared.failure != null) {
      throw shared.failure;
    }
    return type.cast(Objects.requireNonNull(shared.value));
  }

  /** A reading's value or failure, and the files that it read. */
  private record Shared(
      @Nullable Object value, @Nullable UnreadException failure, List<String> sources) {}

  /**
   * Whether this is told by {@link Facts}: there is no such file, and the tree is not recorded; or
   * a cluster is looked at beside a recorded tree.
   */
  private boolean isAsked(String path) {
    return path.startsWith(FACTS + "/")
        && !exists(path)
        && (!exists(WINDOW) || path.equals(FACTS + "/" + Facts.CLUSTER));
  }

  /** What could not be read when a tree was recorded cannot be read in it. */
  private void refuseWhatWasUnread(String path) throws UnreadException {
    UnreadException why = recordedUnread().get(path);
    if (why != null) {
      throw new UnreadException(String.valueOf(why.getMessage()), why.remedy());
    }
  }

  private Map<String, UnreadException> recordedUnread() {
    Map<String, UnreadException> known = unread;
    if (known == null) {
      known = Map.of();
      try {
        if (Files.exists(root.resolve(WINDOW)) && Files.exists(root.resolve(UNREAD))) {
          known = Recording.unreadOf(textOf(root.resolve(UNREAD)));
        }
      } catch (IOException e) {
        known = Map.of(UNREAD, unread(UNREAD, e));
      }
      unread = known;
    }
    return known;
  }

  /** What the kernel says, asked once for all checks of a look. */
  private String ask(String path) throws UnreadException {
    String text = asked.get(path);
    if (text == null) {
      text = facts.tell(path.substring(FACTS.length() + 1)).strip();
      asked.put(path, text);
    }
    read.add(path);
    return text;
  }

  /**
   * A fact's lines.
   *
   * @param fact its name, see {@link Facts}
   * @throws UnreadException when it cannot be read, or is not understood
   */
  public List<Line> lines(String fact) throws UnreadException {
    String text = text(FACTS + "/" + fact);
    Parsed known = parsed.get(fact);
    if (known == null || !known.text.equals(text)) {
      known = new Parsed(text, List.copyOf(Line.of(fact, text)));
      parsed.put(fact, known);
    }
    return known.lines;
  }

  /** A fact's text, and its lines. */
  private record Parsed(String text, List<Line> lines) {}

  /**
   * A whole number in a file.
   *
   * @throws UnreadException when it is not there, or is no number
   */
  public long number(String path) throws UnreadException {
    return parse(path, text(path));
  }

  /**
   * A whole number in a file; nothing when there is no such file.
   *
   * @throws UnreadException when it cannot be read, or is no number
   */
  public OptionalLong numberIfThere(String path) throws UnreadException {
    Optional<String> text = textIfThere(path);
    return text.isEmpty() ? OptionalLong.empty() : OptionalLong.of(parse(path, text.get()));
  }

  /**
   * The text of a file that gzip made; nothing when there is no such file. A recorded tree has it
   * unpacked, without {@code .gz}.
   *
   * @throws UnreadException when it is there and cannot be read
   */
  public Optional<String> unzippedIfThere(String path) throws UnreadException {
    String plain = path.replaceFirst("\\.gz$", "");
    if (Files.exists(root.resolve(WINDOW)) && Files.exists(place(plain))) {
      return textIfThere(plain);
    }
    try {
      Optional<String> text = unzipped(path);
      if (recording != null && text.isPresent()) {
        recording.text(plain, text.get());
      }
      return text;
    } catch (UnreadException e) {
      if (recording != null) {
        recording.unread(path, e);
      }
      throw e;
    }
  }

  private Optional<String> unzipped(String path) throws UnreadException {
    refuseWhatWasUnread(path);
    try (InputStream in = new GZIPInputStream(Files.newInputStream(place(path)))) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      read.add(path);
      return Optional.of(text);
    } catch (NoSuchFileException | NotDirectoryException _) {
      return Optional.empty();
    } catch (IOException e) {
      throw unread(path, e);
    }
  }

  /**
   * What is in a folder, sorted; nothing when it is not there.
   *
   * @throws UnreadException when it cannot be read
   */
  public List<String> names(String folder) throws UnreadException {
    refuseUnseen(folder);
    refuseWhatWasUnread(folder);
    try (Stream<Path> entries = Files.list(place(folder))) {
      read.add(folder + "/");
      List<String> names = entries.map(entry -> entry.getFileName().toString()).sorted().toList();
      if (recording != null) {
        recording.folder(folder, names);
      }
      return names;
    } catch (NoSuchFileException | NotDirectoryException _) {
      return List.of();
    } catch (IOException e) {
      UnreadException why = unread(folder, e);
      if (recording != null) {
        recording.unread(folder, why);
      }
      throw why;
    }
  }

  /**
   * Whether there is such a file, folder or link. Where that cannot be seen the answer is no, and
   * the check that asked has no verdict.
   */
  public boolean has(String path) {
    Optional<UnreadException> why = whyUnseen(path);
    boolean there = exists(path);
    if (why.isEmpty() && !there) {
      why = Optional.ofNullable(recordedUnread().get(path));
    }
    if (why.isPresent()) {
      unseen = why.get();
      if (recording != null) {
        recording.unread(path, why.get());
      }
      return false;
    }
    if (there && recording != null) {
      recording.there(path, Files.isDirectory(place(path)));
    }
    return there;
  }

  private boolean exists(String path) {
    return assumed.containsKey(path) || Files.exists(place(path));
  }

  private void refuseUnseen(String path) throws UnreadException {
    Optional<UnreadException> why = whyUnseen(path);
    if (why.isPresent()) {
      throw why.get();
    }
  }

  private Optional<UnreadException> whyUnseen(String path) {
    if (blind.contains(Blind.FILES) && !isOfTheKernel(path)) {
      return Optional.of(
          new UnreadException(
              "/" + path + " is a container's here and not the node's",
              "Mount the node's file systems and name their root (--root, --host-root)."));
    }
    boolean ofNetwork =
        path.startsWith("proc/sys/net/")
            || path.startsWith("sys/class/net")
            || path.startsWith("proc/net/") && !isOfFirstProcess(place(path));
    return blind.contains(Blind.NETWORK) && ofNetwork
        ? Optional.of(
            new UnreadException(
                "/" + path + " shows this process's own network and not the node's",
                "Run it in the node's network namespace (hostNetwork: true)."))
        : Optional.empty();
  }

  /** What the kernel says alike in all containers: no file of a disk, no process. */
  private static boolean isOfTheKernel(String path) {
    return path.startsWith("sys/")
        || path.startsWith(FACTS + "/")
        || path.startsWith("proc/") && !Character.isDigit(path.charAt("proc/".length()));
  }

  private boolean isOfFirstProcess(Path place) {
    return place.startsWith(root.resolve("proc/1"));
  }

  /**
   * Says that a check asked for what is not seen from here, which it may have taken for absent.
   *
   * @throws UnreadException when one did since {@link #forget}
   */
  void refuseWhatWasUnseen() throws UnreadException {
    if (unseen != null) {
      throw unseen;
    }
  }

  /**
   * What a file said when the window began.
   *
   * @throws UnreadException when it was not there then
   */
  public String before(String path) throws UnreadException {
    String text = before.get(path);
    if (text == null) {
      throw new UnreadException(
          "/" + path + " was not there a moment ago", "Run the doctor again.");
    }
    return text;
  }

  /** How many seconds lie between the two looks. */
  public double seconds() {
    return seconds;
  }

  /** Reads what changes for the first time; of a recorded tree takes what it has. */
  void beginWindow(Collection<String> paths) {
    boolean recorded = has(WINDOW);
    begun = pause.nanos();
    for (String path : paths) {
      try {
        textIfThere(recorded ? BEFORE + "/" + path : path).ifPresent(text -> before(path, text));
      } catch (UnreadException _) {
        // The check that needs it says why, when it reads it the second time.
      }
      asked.remove(path);
    }
  }

  /** Waits for what is left of the window; a recorded tree says how long it was. */
  void endWindow() throws InterruptedException {
    if (has(WINDOW)) {
      window(recordedSeconds());
      return;
    }
    Duration left = wait.minusNanos(pause.nanos() - begun);
    pause.sleep(left.isPositive() ? left : Duration.ZERO);
    window(Math.max(wait.toNanos(), pause.nanos() - begun) / 1e9);
  }

  private void window(double length) {
    seconds = length;
    if (recording != null) {
      recording.window(length);
    }
  }

  private void before(String path, String text) {
    before.put(path, text);
    if (recording != null) {
      recording.before(path, text);
    }
  }

  private double recordedSeconds() {
    try {
      return Double.parseDouble(text(WINDOW));
    } catch (UnreadException | NumberFormatException _) {
      return 1;
    }
  }

  /** Begins a new list of what has been read. */
  void forget() {
    read.clear();
    unseen = null;
  }

  /** The files and folders read since {@link #forget}. */
  List<String> readSoFar() {
    return new ArrayList<>(read);
  }

  /** Of another machine's proc file system the network is that of its first process. */
  private Path place(String path) {
    if (path.startsWith("proc/net/") && !root.equals(Path.of("/"))) {
      Path first = root.resolve("proc/1/net").resolve(path.substring("proc/net/".length()));
      if (Files.exists(first)) {
        return first;
      }
    }
    return root.resolve(path);
  }

  /**
   * The kernel answers for {@code /proc/sys/net} with the reader's network, wherever it is mounted.
   */
  private boolean isSeenFromAnotherNetwork() {
    if (root.equals(Path.of("/"))) {
      return false;
    }
    try {
      Path theirs = Files.readSymbolicLink(root.resolve("proc/1/ns/net"));
      return !theirs.equals(Files.readSymbolicLink(Path.of("/proc/self/ns/net")));
    } catch (IOException _) {
      return false; // a recorded tree, or a link that only root may read
    }
  }

  private static long parse(String path, String text) throws UnreadException {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException _) {
      throw new UnreadException(
          "/" + path + " says '" + text + "', which is no number", "Report it with the kernel.");
    }
  }

  private static UnreadException unread(String path, IOException e) {
    return e instanceof AccessDeniedException
        ? new UnreadException("/" + path + ": permission denied", Rights.remedy())
        : new UnreadException(
            "/" + path + ": " + e.getMessage(), "Look at the file with the same user.");
  }
}
