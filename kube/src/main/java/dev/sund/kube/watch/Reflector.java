package dev.sund.kube.watch;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.kube.api.ApiConnection;
import dev.sund.kube.api.ApiRefusal;
import dev.sund.kube.object.Kinds;
import dev.sund.kube.object.Parsed;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Shape;
import dev.sund.kube.tree.Tree;
import dev.sund.model.ObjectRef;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.net.URLEncoder;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;

/**
 * Follows one resource: list, then watch from where the list was, for ever. Runs on one thread.
 *
 * <p>What may go wrong and what is done: a watch ends or the connection breaks: watch again from
 * the last version told. The server no longer knows that version (410), or knows none so young (it
 * was restored from a backup): list anew. A list fails: again after a wait. An object cannot be
 * used: it is told as refused, and all others go on.
 */
final class Reflector {
  private static final long NONE = -1;
  private static final Pattern NUMBER = Pattern.compile("[0-9]{1,18}");

  private final Followed followed;
  private final WatchSettings settings;
  private final ApiConnection connection;
  private final Introduction introduction;
  private final Listener listener;
  private final RandomGenerator random;
  private final Backoff backoff;
  private final Map<String, Known> known = new HashMap<>();
  private String version = "";
  private int round;
  private boolean answered;

  /** Whether there has been a policy. */
  private boolean policies;

  /**
   * An object that was told: its version, and in which list it was last seen. Of its name one text
   * is kept, here and by whoever hears of it.
   */
  private static final class Known {
    private final String name;
    private long version = NONE;
    private int round;

    Known(String name) {
      this.name = name;
    }
  }

  /** Hears what a reflector finds; called on its thread. */
  interface Listener {
    /** Something about one object. */
    void event(Followed followed, ClusterEvent event);

    /** A list is complete, or the server does not have the resource. */
    void listed(Followed followed);

    /** What keeps the resource from being followed; empty when nothing does any more. */
    void trouble(Followed followed, Optional<String> why);

    /** Waits, unless everything ends meanwhile; whether to go on. */
    boolean pause(Duration time);
  }

  Reflector(
      Followed followed,
      WatchSettings settings,
      ApiConnection connection,
      Introduction introduction,
      RandomGenerator random,
      Listener listener) {
    this.followed = followed;
    this.settings = settings;
    this.connection = connection;
    this.introduction = introduction;
    this.random = random;
    this.listener = listener;
    backoff = new Backoff(settings.firstRetry(), settings.lastRetry(), random);
  }

  /** Follows until {@link Listener#pause} says that everything ends. */
  void run() {
    boolean goOn = listener.pause(Duration.ZERO);
    while (goOn) {
      goOn = listener.pause(step());
    }
    connection.close();
  }

  /** Lists or watches once; how long to wait before the next step. */
  private Duration step() {
    boolean watching = !version.isEmpty();
    answered = false;
    try {
      if (watching) {
        long began = System.nanoTime();
        watch();
        boolean atOnce = System.nanoTime() - began < settings.firstRetry().toNanos();
        return atOnce ? backoff.afterFailure() : Duration.ZERO;
      }
      introduction.turn(followed.kind());
      introduction.list(connection, this::list);
      introduction.listed(followed.kind());
      well();
      listener.listed(followed);
      return Duration.ZERO;
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return settings.firstRetry(); // a wait that the interrupt ends, and all with it
    } catch (ApiRefusal e) {
      return refused(e, watching);
    } catch (IOException e) {
      connection.drop();
      if (watching && answered) {
        // A watch that stood has broken: whether the server is away, the next one will show.
        return backoff.shortened(settings.firstRetry());
      }
      listener.trouble(followed, Optional.of(reasonOf(e)));
      return backoff.afterFailure();
    } catch (RuntimeException e) {
      // A fault of ours, in a parser or in whoever hears the events: said, and all is told anew.
      connection.drop();
      known.values().forEach(object -> object.version = NONE);
      version = "";
      listener.trouble(followed, Optional.of("internal error: " + e));
      return backoff.afterFailure();
    }
  }

  private Duration refused(ApiRefusal refusal, boolean watching) {
    if (refusal.isGone() || (watching && refusal.code() == 504)) {
      boolean first = !version.isEmpty();
      version = "";
      return first ? Duration.ZERO : backoff.afterFailure();
    }
    if (refusal.isNotFound() && followed.optional()) {
      version = "";
      connection.drop(); // a resource that is not there needs none
      sweep(++round);
      well();
      listener.listed(followed);
      return backoff.shortened(settings.absent());
    }
    listener.trouble(followed, Optional.of(refusal.code() + " " + refusal.getMessage()));
    if (refusal.code() == 403 && followed.dispensable()) {
      listener.listed(followed); // the agent may be younger than its ClusterRole: it goes without
    }
    return backoff.afterFailure();
  }

  private void well() {
    listener.trouble(followed, Optional.empty());
    backoff.success();
  }

  private static String reasonOf(IOException fault) {
    return switch (fault) {
      case SocketTimeoutException _ -> "it does not answer";
      case UnknownHostException unknown -> "the name " + unknown.getMessage() + " is not known";
      default -> {
        String message = fault.getMessage();
        yield message == null ? fault.getClass().getSimpleName() : message;
      }
    };
  }

  private void list(ApiConnection over) throws IOException {
    int thisRound = ++round;
    String next = "";
    do {
      String path = followed.query() + "limit=" + settings.page();
      if (!next.isEmpty()) {
        path += "&continue=" + URLEncoder.encode(next, StandardCharsets.UTF_8);
      }
      Page page = page(over.get(path, settings.quiet()), thisRound);
      next = page.next;
      if (next.isEmpty()) {
        sweep(thisRound);
        version = page.version;
        tellVersion();
      }
    } while (!next.isEmpty());
  }

  private record Page(String version, String next) {}

  private Page page(InputStream body, int thisRound) throws IOException {
    Tree.Mapping metadata = Tree.Mapping.of(Map.of());
    try (JsonParser parser = JsonTrees.factory().createParser(body)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new IOException("the list is no JSON object");
      }
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String field = parser.currentName();
        JsonToken value = parser.nextToken();
        if (field.equals("items") && value == JsonToken.START_ARRAY) {
          while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (JsonTrees.value(parser, followed.kind().shape()) instanceof Tree.Mapping object) {
              seen(object, thisRound);
            }
          }
        } else if (!field.equals("metadata")) {
          parser.skipChildren();
        } else if (JsonTrees.value(parser, Shape.ANY) instanceof Tree.Mapping mapping) {
          metadata = mapping;
        }
      }
      if (parser.nextToken() != null) {
        throw new IOException("something follows the list");
      }
    }
    String listed = metadata.text("resourceVersion").orElse("");
    if (listed.isEmpty()) {
      throw new IOException("the list has no metadata.resourceVersion");
    }
    return new Page(listed, metadata.text("continue").orElse(""));
  }

  private void watch() throws IOException, InterruptedException {
    long seconds = settings.watch().toSeconds();
    String path =
        followed.query()
            + "watch=true&allowWatchBookmarks=true&resourceVersion="
            + URLEncoder.encode(version, StandardCharsets.UTF_8)
            + "&timeoutSeconds="
            + (seconds + random.nextLong(seconds + 1));
    InputStream body = introduction.watch(connection, path, settings.quiet());
    answered = true;
    listener.trouble(followed, Optional.empty());
    try (JsonParser parser = JsonTrees.factory().createParser(body)) {
      while (parser.nextToken() != null) {
        told(parser);
        backoff.success();
      }
    }
  }

  private void told(JsonParser parser) throws IOException {
    String type = "";
    Tree object = Tree.Scalar.plain("null");
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw new IOException("the watch tells something that is no JSON object");
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String field = parser.currentName();
      parser.nextToken();
      if (field.equals("type")) {
        type = parser.getText();
      } else if (field.equals("object")) {
        boolean whole = type.isEmpty() || type.equals("ERROR");
        object = JsonTrees.value(parser, whole ? Shape.ANY : followed.kind().shape());
      } else {
        parser.skipChildren();
      }
    }
    if (!(object instanceof Tree.Mapping mapping)) {
      throw new IOException("the watch tells an event without an object");
    }
    switch (type) {
      case "ADDED", "MODIFIED" -> seen(mapping, round);
      case "DELETED" -> gone(mapping);
      case "BOOKMARK" -> {
        // Only its version counts, which is taken below.
      }
      case "ERROR" -> throw ApiRefusal.of(mapping, 500);
      default -> throw new IOException("the watch tells an event of the type '" + type + "'");
    }
    version = resourceVersion(mapping).orElse(version);
    if (!type.equals("BOOKMARK")) {
      tellVersion();
    }
  }

  /** From the first policy on, how far they have been told: nodes say how far they enforce them. */
  private void tellVersion() {
    policies |= followed.kind().isPolicy() && !known.isEmpty();
    if (policies && NUMBER.matcher(version).matches()) {
      listener.event(
          followed, new ClusterEvent.PoliciesTold(followed.kind().kind(), Long.parseLong(version)));
    }
  }

  private void seen(Tree.Mapping object, int thisRound) {
    Optional<ObjectRef> read = followed.kind().ref(object);
    if (read.isEmpty() || !followed.kind().reads(read.get())) {
      return; // an API server gives every object a name
    }
    long now = Kinds.version(object).orElse(NONE);
    Known before = known.computeIfAbsent(read.get().name(), Known::new);
    boolean same = now != NONE && now == before.version;
    before.version = now;
    before.round = thisRound;
    if (same) {
      return;
    }
    ObjectRef ref = new ObjectRef(read.get().kind(), before.name);
    Parsed<ClusterEvent> parsed = followed.kind().parse(ref, object);
    if (parsed.value().isPresent()) {
      listener.event(followed, parsed.value().get());
    } else if (!parsed.problems().isEmpty()) {
      listener.event(followed, Kinds.refused(ref, parsed.problems()));
    }
  }

  private static Optional<String> resourceVersion(Tree.Mapping object) {
    return object
        .mapping("metadata")
        .flatMap(metadata -> metadata.text("resourceVersion"))
        .filter(text -> !text.isEmpty());
  }

  private void gone(Tree.Mapping object) {
    followed
        .kind()
        .ref(object)
        .filter(ref -> known.remove(ref.name()) != null)
        .ifPresent(this::tellGone);
  }

  /** Tells that those are gone which the list of this round did not have. */
  private void sweep(int thisRound) {
    Iterator<Map.Entry<String, Known>> entries = known.entrySet().iterator();
    while (entries.hasNext()) {
      Map.Entry<String, Known> entry = entries.next();
      if (entry.getValue().round != thisRound) {
        entries.remove();
        tellGone(new ObjectRef(followed.kind().kind(), entry.getKey()));
      }
    }
  }

  private void tellGone(ObjectRef ref) {
    listener.event(followed, followed.kind().gone(ref));
  }
}
