package dev.sund.lab.api;

import dev.sund.kube.tree.Tree;
import dev.sund.model.Checks;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/**
 * The lab's API server. The lab itself puts and deletes objects by this class's methods; agents
 * speak HTTP/1.1 to the sockets given to {@link #serve}.
 *
 * <pre>{@code
 * LabApi api = new LabApi(InstantSource.system());
 * api.allow(Rbac.read(Path.of("deploy/rbac.yaml")));
 * api.token("secret", Subject.serviceAccount("kube-system", "sund-agent"));
 * api.serve(NetNs.call(path, () -> new ServerSocket(6443, 50, address)));
 * }</pre>
 *
 * <p>For any thread. Each connection has a platform thread {@code sund-labapi-N}; {@link #serve}
 * must not be called on a thread that is inside another network namespace, since the threads it
 * starts would inherit it. {@link #close} ends them all.
 */
public final class LabApi implements AutoCloseable {
  private static final AtomicInteger THREADS = new AtomicInteger();

  private final Store store;
  private final Faults faults = new Faults();
  private final Pages pages = new Pages();
  private final Watches watches;
  private final Router router;
  private final Map<String, Subject> tokens = new ConcurrentHashMap<>();
  private final Set<Resource> served = ConcurrentHashMap.newKeySet();
  private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
  private final Set<ServerSocket> listeners = ConcurrentHashMap.newKeySet();
  private final Set<Thread> acceptors = ConcurrentHashMap.newKeySet();
  private volatile Optional<Rbac> rbac = Optional.empty();
  private volatile boolean open = true;

  /**
   * An empty server that serves every {@link Resource}.
   *
   * @param clock the source of {@code creationTimestamp}
   */
  public LabApi(InstantSource clock) {
    this(clock, 1000);
  }

  /** As above; the first change gets the resourceVersion after {@code firstVersion}. */
  public LabApi(InstantSource clock, long firstVersion) {
    store = new Store(clock, firstVersion);
    watches = new Watches(store, faults);
    router = new Router(store, new Lists(store, pages), watches);
    served.addAll(Resource.ALL);
  }

  /** From now on only what these rules allow is allowed; before, every known token may all. */
  public void allow(Rbac rules) {
    rbac = Optional.of(rules);
  }

  /** Who brings this bearer token. */
  public void token(String token, Subject subject) {
    tokens.put(Checks.notEmpty("token", token), subject);
  }

  /** Whether this resource exists at all, as a custom resource may or may not. */
  public void serves(Resource resource, boolean exists) {
    if (exists) {
      served.add(resource);
    } else {
      served.remove(resource);
    }
  }

  /** How the server misbehaves. */
  public Faults faults() {
    return faults;
  }

  /** Cuts every connection that stands; new ones are taken. */
  public void dropConnections() {
    connections.forEach(LabApi::closeQuietly);
  }

  /** Keeps at most this many changes: watches and pages that are further behind get 410. */
  public void boundLog(int changes) {
    store.boundLog(changes);
    pages.forgetAll();
  }

  /** How often watches that ask for bookmarks get one; 10 s when nobody says otherwise. */
  public void bookmarksEach(Duration interval) {
    watches.bookmarksEach(interval);
    store.wake();
  }

  /** How many connections stand. */
  public int connections() {
    return connections.size();
  }

  /** How many requests with this verb ({@code list}, {@code watch} ...) were allowed so far. */
  public long requestsOf(String verb, Resource resource) {
    return router.requestsOf(verb, resource);
  }

  /** The resourceVersion of the last change. */
  public long resourceVersion() {
    return store.version();
  }

  /**
   * Creates the object, or replaces the one of its name, status too.
   *
   * @param object with {@code apiVersion} and {@code kind} of a {@link Resource}
   * @return the object as stored, with uid and resourceVersion
   * @throws IllegalArgumentException when there is no such resource, or no name
   */
  public Tree.Mapping put(Tree.Mapping object) {
    String version = object.text("apiVersion").orElse("");
    String kind = object.text("kind").orElse("");
    Resource resource =
        Resource.of(version, kind)
            .orElseThrow(() -> new IllegalArgumentException("no resource " + version + " " + kind));
    Tree.Mapping metadata =
        object
            .mapping("metadata")
            .filter(meta -> meta.text("name").isPresent())
            .orElseThrow(() -> new IllegalArgumentException(kind + " without metadata.name"));
    if (resource.namespaced() && metadata.text("namespace").isEmpty()) {
      metadata = metadata.with("namespace", Tree.Scalar.text("default"));
    }
    return store.put(resource, object.with("metadata", metadata)).tree();
  }

  /**
   * Changes an object.
   *
   * @param key {@code NAMESPACE/NAME} or {@code NAME}
   * @return the object as stored; empty when there is none
   */
  public Optional<Tree.Mapping> update(
      Resource resource, String key, UnaryOperator<Tree.Mapping> change) {
    return get(resource, key).map(object -> store.put(resource, change.apply(object)).tree());
  }

  /**
   * Deletes an object.
   *
   * @param key {@code NAMESPACE/NAME} or {@code NAME}
   * @return whether there was one
   */
  public boolean delete(Resource resource, String key) {
    try {
      store.delete(resource, key);
      return true;
    } catch (StatusException _) {
      return false;
    }
  }

  /** The object with this key. */
  public Optional<Tree.Mapping> get(Resource resource, String key) {
    return store.get(resource, key).map(Stored::tree);
  }

  /** All objects of a resource, sorted by namespace and name. */
  public List<Tree.Mapping> list(Resource resource) {
    return store.list(resource).objects().stream().map(Stored::tree).toList();
  }

  /** All objects of all resources. */
  public List<Tree.Mapping> snapshot() {
    List<Tree.Mapping> all = new ArrayList<>();
    Resource.ALL.forEach(resource -> all.addAll(list(resource)));
    return all;
  }

  /**
   * Takes connections from this socket until {@link #close} or until the socket is closed.
   *
   * @param listener bound; may belong to another network namespace; closed with this server
   */
  public void serve(ServerSocket listener) {
    Checks.that(open, "the server is closed");
    listeners.add(listener);
    acceptors.add(start(() -> accept(listener)));
  }

  private void accept(ServerSocket listener) {
    while (open && !listener.isClosed()) {
      try {
        Socket connection = listener.accept();
        connection.setTcpNoDelay(true);
        connections.add(connection);
        start(() -> connection(connection));
        if (!open) {
          connection.close();
        }
      } catch (IOException _) {
        // The listener was closed, or one connection could not be taken; the loop's head decides.
      }
    }
    listeners.remove(listener);
  }

  private static Thread start(Runnable body) {
    return Thread.ofPlatform()
        .daemon()
        .name("sund-labapi-" + THREADS.incrementAndGet())
        .start(body);
  }

  private void connection(Socket connection) {
    try (connection) {
      var in = new BufferedInputStream(connection.getInputStream());
      var response = new Response(new BufferedOutputStream(connection.getOutputStream(), 65536));
      Optional<Request> request = Request.read(in);
      while (request.isPresent() && open) {
        answer(request.get(), response);
        request = Request.read(in);
      }
    } catch (IOException | NumberFormatException _) {
      // The client went away or speaks no HTTP: there is nobody to tell.
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } finally {
      connections.remove(connection);
    }
  }

  private void answer(Request request, Response response) throws IOException, InterruptedException {
    while (faults.isSilent() && open) {
      store.pause(50);
    }
    long millis = faults.delay().toMillis();
    if (millis > 0) {
      Thread.sleep(millis);
    }
    try {
      if (faults.takeUnavailable()) {
        throw new StatusException(503, "ServiceUnavailable", "the server is told to be away");
      }
      router.answer(request, response, caller(request), rbac, served, () -> open);
    } catch (StatusException e) {
      response.whole(e.code(), e.toTree());
    }
  }

  private Subject caller(Request request) throws StatusException {
    String header = request.headers().getOrDefault("authorization", "");
    Subject subject = header.startsWith("Bearer ") ? tokens.get(header.substring(7).strip()) : null;
    if (subject == null) {
      throw new StatusException(401, "Unauthorized", "Unauthorized");
    }
    return subject;
  }

  /**
   * Ends all connections and listeners, whose ports are free again on return; the objects can still
   * be read. Idempotent.
   */
  @Override
  public void close() {
    open = false;
    listeners.forEach(LabApi::closeQuietly);
    dropConnections();
    store.wake();
    try {
      for (Thread acceptor : acceptors) {
        acceptor.join(Duration.ofSeconds(1)); // an accept that still runs keeps the port
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static void closeQuietly(AutoCloseable closeable) {
    try {
      closeable.close();
    } catch (Exception _) {
      // A socket that cannot be closed is of no more use to anyone.
    }
  }
}
