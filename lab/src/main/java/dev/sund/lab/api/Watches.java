package dev.sund.lab.api;

import dev.sund.kube.tree.JsonText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/** Answers watch requests: one call serves one watch until it ends. */
final class Watches {
  private static final int BATCH = 500;
  private static final long DEFAULT_SECONDS = 1800;
  private static final byte[] END = "}\n".getBytes(StandardCharsets.UTF_8);

  private final Store store;
  private final Faults faults;
  private final Tables tables;
  private final Map<Resource, LongAdder> bookmarked = new ConcurrentHashMap<>();
  private volatile Duration bookmarks = Duration.ofSeconds(10);

  Watches(Store store, Faults faults, Tables tables) {
    this.store = store;
    this.faults = faults;
    this.tables = tables;
  }

  void bookmarksEach(Duration interval) {
    bookmarks = interval;
  }

  /** How many bookmarks were sent to those who watch a resource. */
  long bookmarksOf(Resource resource) {
    LongAdder count = bookmarked.get(resource);
    return count == null ? 0 : count.sum();
  }

  /**
   * Tells events until the time that the client asked for is over, the log no longer reaches back,
   * or the server closes.
   */
  void serve(
      Resource resource,
      Selector selector,
      Request request,
      Response response,
      BooleanSupplier open)
      throws StatusException, IOException, InterruptedException {
    long seconds = Lists.number(request, "timeoutSeconds");
    long end =
        System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds > 0 ? seconds : DEFAULT_SECONDS);
    boolean wantsBookmarks = request.isTrue("allowWatchBookmarks");
    long reached = since(request);
    long current = store.version();
    if (reached > current) {
      throw new StatusException(
          504, "Timeout", "Too large resource version: " + reached + ", current: " + current);
    }
    Function<Stored, byte[]> told = told(resource, request);
    response.beginStream();
    if (reached == 0) {
      Store.Listing all = store.list(resource);
      for (Stored object : all.objects()) {
        if (selector.matches().test(object)) {
          event("ADDED", told.apply(object), response);
        }
      }
      response.flush();
      reached = all.version();
    }
    long bookmarkAt = System.nanoTime() + bookmarks.toNanos();
    try {
      while (open.getAsBoolean() && System.nanoTime() - end < 0) {
        long now = System.nanoTime();
        long wait = Math.min(end - now, Math.min(bookmarkAt - now, 1_000_000_000L));
        Store.Batch batch = store.await(resource, reached, BATCH, Math.max(0, wait));
        if (!batch.changes().isEmpty()) {
          late();
        }
        while (faults.isSilent() && open.getAsBoolean()) {
          store.pause(50);
        }
        for (Store.Change change : batch.changes()) {
          tell(change, selector, told, response);
        }
        reached = Math.max(reached, batch.reached());
        if (System.nanoTime() - bookmarkAt >= 0) {
          if (wantsBookmarks) {
            bookmark(resource, reached, response);
            response.flush();
            bookmarked.computeIfAbsent(resource, _ -> new LongAdder()).increment();
          }
          bookmarkAt = System.nanoTime() + bookmarks.toNanos();
        }
        response.flush();
      }
    } catch (StatusException e) {
      byte[] status = JsonText.of(e.toTree()).getBytes(StandardCharsets.UTF_8);
      response.chunk(
          "{\"type\":\"ERROR\",\"object\":".getBytes(StandardCharsets.UTF_8), status, END);
    }
    response.endStream();
  }

  private void late() throws InterruptedException {
    long millis = faults.delay().toMillis();
    if (millis > 0) {
      Thread.sleep(millis);
    }
  }

  private static long since(Request request) throws StatusException {
    String text = request.parameter("resourceVersion");
    try {
      return text.isEmpty() ? 0 : Long.parseLong(text);
    } catch (NumberFormatException _) {
      throw StatusException.badRequest("resourceVersion must be a number, but is '" + text + "'");
    }
  }

  /** What is told of an object: itself, or a row of text. */
  private Function<Stored, byte[]> told(Resource resource, Request request) {
    Optional<String> table = Tables.wanted(request);
    if (table.isEmpty()) {
      return Stored::json;
    }
    return object ->
        tables.table(
            table.get(),
            resource,
            List.of(object),
            Json.object("resourceVersion", String.valueOf(object.version())),
            request);
  }

  private void tell(
      Store.Change change, Selector selector, Function<Stored, byte[]> told, Response response)
      throws IOException {
    boolean was = change.before().filter(selector.matches()).isPresent();
    boolean is = !change.deleted() && selector.matches().test(change.after());
    Optional<String> type =
        is
            ? Optional.of(was ? "MODIFIED" : "ADDED")
            : was ? Optional.of("DELETED") : Optional.empty();
    if (type.isPresent()) {
      event(type.get(), told.apply(change.after()), response);
    }
  }

  private void event(String type, byte[] object, Response response) throws IOException {
    byte[] begin = ("{\"type\":\"" + type + "\",\"object\":").getBytes(StandardCharsets.UTF_8);
    int times = faults.isTwice() ? 2 : 1;
    for (int i = 0; i < times; i++) {
      response.chunk(begin, object, END);
    }
  }

  private static void bookmark(Resource resource, long version, Response response)
      throws IOException {
    String object =
        "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\""
            + resource.kind()
            + "\",\"apiVersion\":\""
            + resource.apiVersion()
            + "\",\"metadata\":{\"resourceVersion\":\""
            + version
            + "\",\"creationTimestamp\":null}}}\n";
    response.chunk(object.getBytes(StandardCharsets.UTF_8));
  }
}
