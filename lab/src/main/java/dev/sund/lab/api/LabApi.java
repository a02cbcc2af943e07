package dev.sund.lab.api;

import dev.sund.kube.tree.Tree;
import dev.sund.kube.tree.YamlTrees;
import dev.sund.model.Checks;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSocket;

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
  private final Definitions definitions = new Definitions();
  private final Map<String, Subject> tokens = new ConcurrentHashMap<>();
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
    Tables tables = new Tables(clock, definitions);
    watches = new Watches(store, faults, tables);
    router = new Router(store, new Lists(store, pages, tables), watches, tables, definitions);
  }

  /** From now on only what these rules allow is allowed; before, every known token may all. */
  public void allow(Rbac rules) {
    rbac = Optional.of(rules);
  }

  /** Who brings this bearer token. */
  public void token(String token, Subject subject) {
    tokens.put(Checks.notEmpty("token", token), subject);
  }

  /** A token is taken no more. */
  public void forget(String token) {
    tokens.remove(token);
  }

  /** Whether this resource exists at all, as a custom resource may or may not. */
  public void serves(Resource resource, boolean exists) {
    definitions.serve(resource, exists);
  }

  /** How the server misbehaves. */
  public Faults faults() {
    return faults;
  }

  /** Cuts every connection that stands; new ones are taken. */
  public void dropConnections() {
    List.copyOf(connections).forEach(LabApi::closeQuietly); // none that comes meanwhile
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

  /** How many bookmarks were sent so far to those who watch a resource. */
  public long bookmarksOf(Resource resource) {
    return watches.bookmarksOf(resource);
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
        definitions
            .of(version, kind)
            .orElseThrow(() -> new IllegalArgumentException("no resource " + version + " " + kind));
    Tree.Mapping metadata =
        object
            .mapping("metadata")
            .filter(meta -> meta.text("name").isPresent())
            .orElseThrow(() -> new IllegalArgumentException(kind + " without metadata.name"));
    if (resource.namespaced() && metadata.text("namespace").isEmpty()) {
      metadata = metadata.with("namespace", Tree.Scalar.text("default"));
    }
    Tree.Mapping stored = store.put(resource, object.with("metadata", metadata)).tree();
    router.defined(resource, stored);
    return stored;
  }

  /** Whether objects with this apiVersion and kind can be put. */
  public Optional<Resource> resource(String apiVersion, String kind) {
    return definitions.of(apiVersion, kind);
  }

  /**
   * Puts the CustomResourceDefinitions of manifests, in a folder of YAML files: their resources
   * exist from now on, and what clients write is held to their schemas.
   *
   * @throws IOException when a file cannot be read or is no YAML
   * @throws IllegalArgumentException when a definition uses what this server does not understand
   */
  public void define(Path folder) throws IOException {
    List<Path> files;
    try (Stream<Path> found = Files.list(folder)) {
      files = found.filter(file -> file.toString().endsWith(".yaml")).sorted().toList();
    }
    for (Path file : files) {
      apply(file, object -> object.text("kind").equals(Optional.of("CustomResourceDefinition")));
    }
  }

  /**
   * Puts all objects of a manifest.
   *
   * @throws IOException when the file cannot be read or is no YAML
   * @throws IllegalArgumentException when there is no resource for one
   */
  public void apply(Path manifest) throws IOException {
    apply(manifest, _ -> true);
  }

  private void apply(Path manifest, Predicate<Tree.Mapping> which) throws IOException {
    for (Tree document : YamlTrees.documents(Files.readString(manifest))) {
      if (document instanceof Tree.Mapping object && which.test(object)) {
        put(object);
      }
    }
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
    definitions.served().forEach(resource -> all.addAll(list(resource)));
    return all;
  }

  /**
   * Takes connections from this socket until {@link #close} or until the socket is closed.
   *
   * @param listener bound; may belong to another network namespace; closed with this server
   */
  public void serve(ServerSocket listener) {
    serve(listener, Optional.empty());
  }

  /** As above, over TLS: a client may show a certificate instead of a token. */
  public void serve(ServerSocket listener, SSLContext tls) {
    serve(listener, Optional.of(tls));
  }

  private void serve(ServerSocket listener, Optional<SSLContext> tls) {
    Checks.that(open, "the server is closed");
    listeners.add(listener);
    acceptors.add(start(() -> accept(listener, tls)));
  }

  private void accept(ServerSocket listener, Optional<SSLContext> tls) {
    while (open && !listener.isClosed()) {
      try {
        Socket connection = listener.accept();
        connection.setTcpNoDelay(true);
        connections.add(connection);
        start(() -> connection(connection, tls));
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

  private void connection(Socket plain, Optional<SSLContext> tls) {
    try (Socket connection = tls.isPresent() ? secured(plain, tls.get()) : plain) {
      Optional<Subject> shown = shown(connection);
      var in = new BufferedInputStream(connection.getInputStream());
      var response = new Response(new BufferedOutputStream(connection.getOutputStream(), 65536));
      Optional<Request> request = Request.read(in);
      while (request.isPresent() && open) {
        answer(request.get(), shown, response);
        request = Request.read(in);
      }
    } catch (IOException | NumberFormatException _) {
      // The client went away or speaks no HTTP: there is nobody to tell.
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } finally {
      connections.remove(plain);
      closeQuietly(plain);
    }
  }

  private static SSLSocket secured(Socket plain, SSLContext tls) throws IOException {
    SSLSocket socket =
        (SSLSocket) tls.getSocketFactory().createSocket(plain, null, plain.getPort(), true);
    socket.setUseClientMode(false);
    socket.setWantClientAuth(true);
    socket.startHandshake();
    return socket;
  }

  /** Who the certificate says that the client is. */
  private static Optional<Subject> shown(Socket connection) {
    if (!(connection instanceof SSLSocket tls)) {
      return Optional.empty();
    }
    String user = "";
    List<String> groups = new ArrayList<>();
    try {
      // RFC 2253 as the JDK writes it: CN=name,O=group+O=group, with a backslash before these
      // signs.
      String name = tls.getSession().getPeerPrincipal().getName();
      for (String part : name.split("(?<!\\\\)[,+]")) {
        String value = part.substring(part.indexOf('=') + 1).replace("\\", "");
        if (part.strip().startsWith("CN=")) {
          user = value;
        } else if (part.strip().startsWith("O=")) {
          groups.add(value);
        }
      }
    } catch (SSLPeerUnverifiedException _) {
      return Optional.empty(); // none was shown
    }
    return user.isEmpty() ? Optional.empty() : Optional.of(new Subject(user, groups));
  }

  private void answer(Request request, Optional<Subject> shown, Response response)
      throws IOException, InterruptedException {
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
      router.answer(request, response, caller(request, shown), rbac, () -> open);
    } catch (StatusException e) {
      response.whole(e.code(), e.toTree());
    }
  }

  private Subject caller(Request request, Optional<Subject> shown) throws StatusException {
    String header = request.headers().getOrDefault("authorization", "");
    if (header.isEmpty() && shown.isPresent()) {
      return shown.get();
    }
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
