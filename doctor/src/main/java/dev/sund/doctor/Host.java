package dev.sund.doctor;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
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

  private final Facts facts;
  private final NodeFiles files;
  private final Sight sight;
  private final Window window;
  private final Map<String, String> assumed;
  private final @Nullable Recording recording;
  private final Map<String, String> asked = new HashMap<>();
  private final Map<String, Parsed> parsed = new HashMap<>();
  private final Map<Class<?>, Shared> sharedByAll = new HashMap<>();
  private final Set<String> read = new LinkedHashSet<>();
  private @Nullable UnreadException unseen;

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
    this(facts, new NodeFiles(root), blind, new Window(wait, pause), null);
  }

  /** The same; what is read is recorded. */
  public Host(
      Path root, Duration wait, Pause pause, Facts facts, Set<Blind> blind, Recording recording) {
    this(facts, new NodeFiles(root), blind, new Window(wait, pause), recording);
  }

  private Host(
      Facts facts,
      NodeFiles files,
      Set<Blind> blind,
      Window window,
      @Nullable Recording recording) {
    this.facts = facts;
    this.files = files;
    this.sight = new Sight(files, blind);
    this.window = window;
    this.assumed = Map.of();
    this.recording = recording;
  }

  private Host(Host other, Map<String, String> assumed) {
    this.facts = other.facts;
    this.files = other.files;
    this.sight = other.sight;
    this.window = other.window;
    this.assumed = Map.copyOf(assumed);
    this.recording = null;
    asked.putAll(other.asked);
  }

  /**
   * The same node, as if these files said something else: what would be found then. What changes is
   * not watched again, and nobody is asked again.
   */
  public Host assuming(Map<String, String> files) {
    Map<String, String> all = new HashMap<>(assumed);
    all.putAll(files);
    return new Host(this, all);
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
    try {
      Optional<String> text = textAsItIs(path);
      if (recording != null && text.isPresent()) {
        recording.text(path, text.get());
      }
      return text;
    } catch (UnreadException e) {
      throw recorded(path, e);
    }
  }

  private Optional<String> textAsItIs(String path) throws UnreadException {
    sight.refuseOtherNetwork(path);
    sight.refuse(path);
    if (isAsked(path)) {
      return Optional.of(ask(path));
    }
    Optional<String> text = files.text(path).map(String::strip);
    if (text.isPresent()) {
      read.add(path);
    }
    return text;
  }

  private UnreadException recorded(String path, UnreadException why) {
    if (recording != null) {
      recording.unread(path, why);
    }
    return why;
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
        && (!files.areRecorded() || path.equals(FACTS + "/" + Facts.CLUSTER));
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
    if (files.areRecorded() && files.exists(plain)) {
      return textIfThere(plain);
    }
    try {
      sight.refuseUnread(path);
      Optional<String> text = files.unzipped(path);
      if (text.isPresent()) {
        read.add(path);
        if (recording != null) {
          recording.text(plain, text.get());
        }
      }
      return text;
    } catch (UnreadException e) {
      throw recorded(path, e);
    }
  }

  /**
   * What is in a folder, sorted; nothing when it is not there.
   *
   * @throws UnreadException when it cannot be read
   */
  public List<String> names(String folder) throws UnreadException {
    try {
      sight.refuse(folder);
      Optional<List<String>> names = files.names(folder);
      if (names.isPresent()) {
        read.add(folder + "/");
        if (recording != null) {
          recording.folder(folder, names.get());
        }
      }
      return names.orElse(List.of());
    } catch (UnreadException e) {
      throw recorded(folder, e);
    }
  }

  /**
   * Whether there is such a file, folder or link. Where that cannot be seen the answer is no, and
   * the check that asked has no verdict.
   */
  public boolean has(String path) {
    boolean there = exists(path);
    Optional<UnreadException> why = sight.whyUnseen(path);
    if (why.isEmpty() && !there) {
      why = sight.whyUnread(path);
    }
    if (why.isPresent()) {
      unseen = recorded(path, why.get());
      return false;
    }
    if (there && recording != null) {
      recording.there(path, files.isFolder(path));
    }
    return there;
  }

  private boolean exists(String path) {
    return assumed.containsKey(path) || files.exists(path);
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
    return window
        .before(path)
        .orElseThrow(() ->
            new UnreadException(
                "/" + path + " was not there a moment ago", "Run the doctor again."));
  }

  /** How many seconds lie between the two looks. */
  public double seconds() {
    return window.seconds();
  }

  /** Reads what changes for the first time; of a recorded tree takes what it has. */
  void beginWindow(Collection<String> paths) {
    window.begin();
    for (String path : paths) {
      try {
        Optional<String> text = textIfThere(files.areRecorded() ? BEFORE + "/" + path : path);
        if (text.isPresent()) {
          window.saw(path, text.get());
          if (recording != null) {
            recording.before(path, text.get());
          }
        }
      } catch (UnreadException _) {
        // The check that needs it says why, when it reads it the second time.
      }
      asked.remove(path);
    }
  }

  /** Waits for what is left of the window; a recorded tree says how long it was. */
  void endWindow() throws InterruptedException {
    if (files.areRecorded()) {
      window.wasOf(recordedSeconds());
    } else {
      window.end();
    }
    if (recording != null) {
      recording.window(window.seconds());
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

  private static long parse(String path, String text) throws UnreadException {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException _) {
      throw new UnreadException(
          "/" + path + " says '" + text + "', which is no number", "Report it with the kernel.");
    }
  }
}
