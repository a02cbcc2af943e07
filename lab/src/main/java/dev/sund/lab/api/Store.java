package dev.sund.lab.api;

import dev.sund.kube.tree.Tree;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The objects, and a bounded log of their changes. One counter numbers all changes of all
 * resources, as etcd's revision does. For any thread.
 */
final class Store {
  /** How many changes the log holds when nobody says otherwise. */
  static final int DEFAULT_LOG = 20_000;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Map<Resource, TreeMap<String, Stored>> objects = new HashMap<>();
  private final Map<String, Integer> births = new HashMap<>();
  private final ArrayDeque<Change> log = new ArrayDeque<>();
  private final InstantSource clock;
  private int logBound = DEFAULT_LOG;
  private long version;
  private long forgotten;

  /**
   * A change of one object.
   *
   * @param version the resourceVersion that it led to
   * @param before empty when it was created
   * @param after the object; for a deletion its last state with the deletion's version
   * @param deleted whether it is gone
   */
  record Change(
      long version, Resource resource, Optional<Stored> before, Stored after, boolean deleted) {}

  /** All objects of a resource at one moment. */
  record Listing(List<Stored> objects, long version) {}

  Store(InstantSource clock, long firstVersion) {
    this.clock = clock;
    version = firstVersion;
    forgotten = firstVersion;
  }

  /** The resourceVersion of the last change. */
  long version() {
    lock.lock();
    try {
      return version;
    } finally {
      lock.unlock();
    }
  }

  /** Keeps at most this many changes; older watches get 410. */
  void boundLog(int changes) {
    lock.lock();
    try {
      logBound = changes;
      trim();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  Optional<Stored> get(Resource resource, String key) {
    lock.lock();
    try {
      return Optional.ofNullable(table(resource).get(key));
    } finally {
      lock.unlock();
    }
  }

  Listing list(Resource resource) {
    lock.lock();
    try {
      return new Listing(List.copyOf(table(resource).values()), version);
    } finally {
      lock.unlock();
    }
  }

  Stored create(Resource resource, Tree.Mapping object) throws StatusException {
    lock.lock();
    try {
      String key = key(object);
      if (table(resource).containsKey(key)) {
        throw new StatusException(
            409, "AlreadyExists", resource.plural() + " \"" + key + "\" already exists");
      }
      // What is reported of an object is not for those who wish for it.
      Tree.Mapping wished =
          resource.counted() && resource.status() ? object.without("status") : object;
      return write(resource, key, born(resource, key, wished));
    } finally {
      lock.unlock();
    }
  }

  /** Creates the object, or replaces whatever is there, status too. */
  Stored put(Resource resource, Tree.Mapping object) {
    lock.lock();
    try {
      String key = key(object);
      Stored before = table(resource).get(key);
      if (before == null) {
        return write(resource, key, born(resource, key, object));
      }
      return write(resource, key, keepIdentity(before, object));
    } finally {
      lock.unlock();
    }
  }

  /**
   * Replaces an object as a client does: what it read must be the latest, and of a resource with
   * status either only the status changes or everything else.
   */
  Stored replace(Resource resource, Tree.Mapping object, boolean statusOnly)
      throws StatusException {
    lock.lock();
    try {
      String key = key(object);
      Stored before = table(resource).get(key);
      if (before == null) {
        throw StatusException.notFound(resource, key);
      }
      Optional<String> read =
          object.mapping("metadata").flatMap(meta -> meta.text("resourceVersion"));
      if (read.isPresent() && !read.get().equals(Long.toString(before.version()))) {
        throw new StatusException(
            409,
            "Conflict",
            "Operation cannot be fulfilled on "
                + resource.plural()
                + " \""
                + key
                + "\": the object has been modified; please apply your changes to the latest"
                + " version and try again");
      }
      Tree.Mapping after = object;
      Optional<Tree> status = statusOnly ? object.get("status") : before.tree().get("status");
      if (statusOnly) {
        after = withMetadata(resource, before.tree(), object);
      }
      if (statusOnly || resource.status()) {
        after = status.isPresent() ? after.with("status", status.get()) : after.without("status");
      }
      return write(resource, key, keepIdentity(before, after));
    } finally {
      lock.unlock();
    }
  }

  /**
   * Of a node, who may write the status may write labels and annotations with it, which is how
   * network programs leave their marks there; see Kubernetes' {@code nodeStatusStrategy}.
   */
  private static Tree.Mapping withMetadata(
      Resource resource, Tree.Mapping before, Tree.Mapping now) {
    if (!resource.equals(Resource.NODES)) {
      return before;
    }
    Tree.Mapping metadata = Json.child(before, "metadata");
    for (String field : List.of("labels", "annotations")) {
      Optional<Tree> value = Json.child(now, "metadata").get(field);
      metadata = value.isPresent() ? metadata.with(field, value.get()) : metadata.without(field);
    }
    return before.with("metadata", metadata);
  }

  /** Changes an object as it is at that moment; otherwise as {@link #replace}. */
  Stored change(Resource resource, String key, Patches.Change change, boolean statusOnly)
      throws StatusException {
    lock.lock();
    try {
      Stored before = table(resource).get(key);
      if (before == null) {
        throw StatusException.notFound(resource, key);
      }
      return replace(resource, change.apply(before.tree()), statusOnly);
    } finally {
      lock.unlock();
    }
  }

  Stored delete(Resource resource, String key) throws StatusException {
    return delete(resource, key, Optional.empty(), Optional.empty());
  }

  /** Deletes an object, when it has this version and this uid. */
  Stored delete(
      Resource resource, String key, Optional<String> onlyVersion, Optional<String> onlyUid)
      throws StatusException {
    lock.lock();
    try {
      Stored before = table(resource).get(key);
      if (before == null) {
        throw StatusException.notFound(resource, key);
      }
      boolean other =
          onlyVersion.filter(wanted -> !wanted.equals(Long.toString(before.version()))).isPresent()
              || onlyUid.filter(wanted -> !wanted.equals(before.metadata("uid"))).isPresent();
      if (other) {
        throw new StatusException(
            409,
            "Conflict",
            "Precondition failed: " + resource.plural() + " \"" + key + "\" is another by now");
      }
      table(resource).remove(key);
      Stored last = Stored.of(before.tree(), ++version);
      append(new Change(version, resource, Optional.of(before), last, true));
      return last;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits for changes of {@code resource} after {@code since}.
   *
   * @param most at most this many at once
   * @return none when the time is over; the caller goes on from the last one's version, or from
   *     {@link Batch#reached}
   * @throws StatusException 410 when the log no longer reaches back to {@code since}
   */
  Batch await(Resource resource, long since, int most, long nanos)
      throws StatusException, InterruptedException {
    lock.lock();
    try {
      if (since < forgotten) {
        throw StatusException.expired(since, forgotten);
      }
      long left = nanos;
      while (version <= since && left > 0) {
        left = changed.awaitNanos(left);
      }
      if (since < forgotten) {
        throw StatusException.expired(since, forgotten);
      }
      List<Change> found = new ArrayList<>();
      var newest = log.descendingIterator();
      ArrayDeque<Change> after = new ArrayDeque<>();
      while (newest.hasNext()) {
        Change change = newest.next();
        if (change.version <= since) {
          break;
        }
        after.addFirst(change);
      }
      long reached = since;
      for (Change change : after) {
        if (found.size() == most) {
          break;
        }
        reached = change.version;
        if (change.resource.equals(resource)) {
          found.add(change);
        }
      }
      return new Batch(found, reached);
    } finally {
      lock.unlock();
    }
  }

  /** Changes of a resource, and how far the log has been read for them. */
  record Batch(List<Change> changes, long reached) {}

  /** Wakes all that wait, so that they look at what else may have changed. */
  void wake() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits at most this long for {@link #wake} or a change. */
  void pause(long millis) throws InterruptedException {
    lock.lock();
    try {
      if (!changed.await(millis, TimeUnit.MILLISECONDS)) {
        return;
      }
    } finally {
      lock.unlock();
    }
  }

  private Stored write(Resource resource, String key, Tree.Mapping given) {
    Optional<Stored> before = Optional.ofNullable(table(resource).get(key));
    Tree.Mapping object = resource.counted() ? counted(resource, before, given) : given;
    if (before.isPresent() && sameButVersion(before.get(), object)) {
      return before.get();
    }
    Stored after = Stored.of(object, ++version);
    table(resource).put(key, after);
    append(new Change(version, resource, before, after, false));
    return after;
  }

  /** The object with its generation, whatever the client says that it is. */
  private static Tree.Mapping counted(
      Resource resource, Optional<Stored> before, Tree.Mapping object) {
    long generation = 1;
    if (before.isPresent()) {
      generation = Long.parseLong(before.get().metadata("generation"));
      if (!Json.same(wished(resource, before.get().tree()), wished(resource, object))) {
        generation++;
      }
    }
    return object.with(
        "metadata", metadata(object).with("generation", Tree.Scalar.plain(generation)));
  }

  private static Tree.Mapping wished(Resource resource, Tree.Mapping object) {
    Tree.Mapping wished = object.without("metadata");
    return resource.status() ? wished.without("status") : wished;
  }

  private static boolean sameButVersion(Stored before, Tree.Mapping object) {
    return Json.same(Stored.of(object, before.version()).tree(), before.tree());
  }

  private void append(Change change) {
    log.addLast(change);
    trim();
    changed.signalAll();
  }

  private void trim() {
    while (log.size() > logBound) {
      forgotten = log.removeFirst().version;
    }
  }

  private Tree.Mapping born(Resource resource, String key, Tree.Mapping object) {
    int birth = births.merge(resource.kind() + " " + key, 1, Integer::sum);
    Tree.Mapping metadata = metadata(object);
    if (metadata.text("uid").filter(uid -> !uid.isEmpty()).isEmpty()) {
      // The first of a name has the uid that the same manifest has in a file; the next another.
      String seed = resource.kind() + " " + key + (birth == 1 ? "" : " " + birth);
      UUID uid = UUID.nameUUIDFromBytes(seed.getBytes(StandardCharsets.UTF_8));
      metadata = metadata.with("uid", Tree.Scalar.text(uid.toString()));
    }
    if (metadata.text("creationTimestamp").isEmpty()) {
      Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
      metadata = metadata.with("creationTimestamp", Tree.Scalar.text(now.toString()));
    }
    return typed(resource, object, metadata);
  }

  private static Tree.Mapping keepIdentity(Stored before, Tree.Mapping object) {
    Tree.Mapping metadata = metadata(object);
    for (String field : List.of("uid", "creationTimestamp")) {
      metadata = metadata.with(field, Tree.Scalar.text(before.metadata(field)));
    }
    Map<String, Tree> whole = new LinkedHashMap<>();
    before.tree().get("apiVersion").ifPresent(value -> whole.put("apiVersion", value));
    before.tree().get("kind").ifPresent(value -> whole.put("kind", value));
    object.fields().forEach(whole::putIfAbsent);
    whole.put("metadata", metadata);
    return Tree.Mapping.of(whole);
  }

  private static Tree.Mapping typed(Resource resource, Tree.Mapping object, Tree.Mapping metadata) {
    Map<String, Tree> whole = new LinkedHashMap<>();
    whole.put("apiVersion", Tree.Scalar.text(resource.apiVersion()));
    whole.put("kind", Tree.Scalar.text(resource.kind()));
    object.fields().forEach(whole::putIfAbsent);
    whole.put("metadata", metadata);
    return Tree.Mapping.of(whole);
  }

  private static Tree.Mapping metadata(Tree.Mapping object) {
    return object.mapping("metadata").orElse(Tree.Mapping.of(Map.of()));
  }

  private static String key(Tree.Mapping object) {
    Tree.Mapping metadata = metadata(object);
    String namespace = metadata.text("namespace").orElse("");
    String name = metadata.text("name").orElse("");
    return namespace.isEmpty() ? name : namespace + "/" + name;
  }

  private TreeMap<String, Stored> table(Resource resource) {
    return objects.computeIfAbsent(resource, _ -> new TreeMap<>());
  }
}
