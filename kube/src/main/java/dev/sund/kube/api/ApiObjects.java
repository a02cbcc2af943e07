package dev.sund.kube.api;

import dev.sund.kube.tree.JsonText;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Reads and writes single objects on the API server, one request at a time.
 *
 * <pre>{@code
 * ApiPath blocks = ApiPath.of("sund.dev/v1alpha1", "addressblocks");
 * Optional<Tree.Mapping> block = objects.read(blocks.named("10-1-0-0-26"));
 * objects.replace(blocks.named("10-1-0-0-26"), changed(block.get()));   // 409 when it was not the latest
 * }</pre>
 *
 * <p>For any thread; calls wait for each other. A write whose answer does not come (any {@link
 * IOException} that is no {@link ApiRefusal}) may have been done or not, and is never sent again by
 * itself: the caller reads back and decides. A compare-and-swap (a replace with the {@code
 * resourceVersion} that was read, a create) is safe to send again.
 */
public final class ApiObjects implements AutoCloseable {
  private static final int PAGE = 500;

  private final ApiConnection connection;
  private final Duration patience;
  private final ReentrantLock lock = new ReentrantLock();

  /**
   * A way to the objects; connects when it is first used.
   *
   * @param patience how long the server may say nothing
   */
  public ApiObjects(ApiServer server, Dialer dialer, Duration patience) {
    this.connection = new ApiConnection(server, dialer);
    this.patience = patience;
  }

  /** How a patch is to be understood. */
  public enum Patch {
    /** RFC 7386: what is null goes, mappings are merged, the rest is replaced. */
    MERGE("application/merge-patch+json"),
    /** RFC 6902: a list of operations, done all or not at all. */
    JSON("application/json-patch+json"),
    /** Kubernetes' own: lists of some kinds are merged by the keys of their items. */
    STRATEGIC("application/strategic-merge-patch+json");

    private final String contentType;

    Patch(String contentType) {
      this.contentType = contentType;
    }

    /** How it is called in a request. */
    public String contentType() {
      return contentType;
    }
  }

  @FunctionalInterface
  private interface Call<T> {
    T run() throws IOException;
  }

  /**
   * The object at this path; empty when there is none.
   *
   * @throws ApiRefusal when the server refuses
   * @throws IOException when there is no answer
   */
  public Optional<Tree.Mapping> read(String path) throws IOException {
    return locked(() -> {
      try {
        return Optional.of(mapping(connection.get(path, patience)));
      } catch (ApiRefusal e) {
        if (e.isNotFound()) {
          return Optional.empty();
        }
        throw e;
      }
    });
  }

  /** All objects at a path of many, read in pages; may be given a query. */
  public List<Tree.Mapping> list(String path) throws IOException {
    List<Tree.Mapping> found = new ArrayList<>();
    each(path, PAGE, found::add);
    return found;
  }

  /**
   * As {@link #list}, without keeping them: a page at a time is in memory.
   *
   * @param most objects in a page
   * @param taker told each object, in the server's order; must not call this
   */
  public void each(String path, int most, Consumer<Tree.Mapping> taker) throws IOException {
    locked(() -> {
      String next = "";
      do {
        String page = path + (path.indexOf('?') < 0 ? "?" : "&") + "limit=" + most;
        if (!next.isEmpty()) {
          page += "&continue=" + URLEncoder.encode(next, StandardCharsets.UTF_8);
        }
        Tree.Mapping list = mapping(connection.get(page, patience));
        if (list.get("items").orElse(list) instanceof Tree.Sequence items) {
          for (Tree item : items.items()) {
            if (item instanceof Tree.Mapping object) {
              taker.accept(object);
            }
          }
        }
        next = list.mapping("metadata").flatMap(meta -> meta.text("continue")).orElse("");
      } while (!next.isEmpty());
      return path;
    });
  }

  /**
   * Creates an object; the path is that of all.
   *
   * @return the object as stored
   * @throws ApiRefusal {@link ApiRefusal#alreadyExists} when there is one of this name
   */
  public Tree.Mapping create(String path, Tree.Mapping object) throws IOException {
    return write("POST", path, "application/json", object);
  }

  /**
   * Replaces an object; with a {@code metadata.resourceVersion}, only when that is the latest.
   *
   * @return the object as stored
   * @throws ApiRefusal {@link ApiRefusal#isConflict} when it is not
   */
  public Tree.Mapping replace(String path, Tree.Mapping object) throws IOException {
    return write("PUT", path, "application/json", object);
  }

  /** Changes an object; what it became. */
  public Tree.Mapping patch(String path, Patch how, Tree change) throws IOException {
    return write("PATCH", path, how.contentType(), change);
  }

  /**
   * Deletes an object.
   *
   * @param version only when this is its latest resourceVersion; empty: in any case
   * @return whether there was one
   * @throws ApiRefusal {@link ApiRefusal#isConflict} when it has another version
   */
  public boolean delete(String path, Optional<String> version) throws IOException {
    Map<String, Tree> options = new LinkedHashMap<>();
    options.put("apiVersion", Tree.Scalar.text("v1"));
    options.put("kind", Tree.Scalar.text("DeleteOptions"));
    version.ifPresent(latest ->
        options.put(
            "preconditions", Tree.Mapping.of(Map.of("resourceVersion", Tree.Scalar.text(latest)))));
    try {
      write("DELETE", path, "application/json", Tree.Mapping.of(options));
      return true;
    } catch (ApiRefusal e) {
      if (e.isNotFound()) {
        return false;
      }
      throw e;
    }
  }

  private Tree.Mapping write(String method, String path, String type, Tree body)
      throws IOException {
    String text = JsonText.of(body);
    return locked(() -> mapping(connection.send(method, path, type, text, patience)));
  }

  private <T> T locked(Call<T> call) throws IOException {
    lock.lock();
    try {
      return call.run();
    } catch (ApiRefusal e) {
      throw e;
    } catch (IOException e) {
      connection.drop();
      throw e;
    } finally {
      lock.unlock();
    }
  }

  private static Tree.Mapping mapping(InputStream body) throws IOException {
    String text = new String(body.readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (JsonTrees.parse(text) instanceof Tree.Mapping object) {
        return object;
      }
    } catch (MalformedException e) {
      throw new IOException("the answer is not JSON: " + e.getMessage(), e);
    }
    throw new IOException("the answer is no JSON object");
  }

  /** Closes the connection until the next call: for those who ask seldom. */
  public void rest() {
    lock.lock();
    try {
      connection.drop();
    } finally {
      lock.unlock();
    }
  }

  /** Ends the connection, and a call that waits. Idempotent. */
  @Override
  public void close() {
    connection.close();
  }
}
