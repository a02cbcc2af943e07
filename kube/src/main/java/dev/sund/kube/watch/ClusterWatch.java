package dev.sund.kube.watch;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.kube.api.ApiConnection;
import dev.sund.kube.api.ApiServer;
import dev.sund.kube.api.Dialer;
import dev.sund.kube.object.Kinds;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * Follows nodes, pods, namespaces, policies, Services with their endpoints, pools, blocks of them
 * and other networks' configurations on an API server and tells what it sees as {@link
 * ClusterEvent}s.
 *
 * <p>Events come from several threads, but one at a time. {@link ClusterEvent.Synced} is told once,
 * after everything that existed when the watch began; while the server cannot be reached nothing is
 * told, so nothing changes.
 *
 * <p>Pools and reservations are looked for in both of Calico's groups; a server that has neither is
 * looked at again each minute. So is one without Calico's {@code Installation}, without blocks, or
 * without policies of the cluster.
 */
public final class ClusterWatch implements AutoCloseable {
  private static final Duration CLOSING = Duration.ofSeconds(2);

  private final ApiServer server;
  private final Consumer<ClusterEvent> events;
  private final Consumer<Optional<Condition>> reachability;
  private final ReentrantLock lock = new ReentrantLock();
  private final java.util.concurrent.locks.Condition ending = lock.newCondition();
  private final List<ApiConnection> connections = new ArrayList<>();
  private final Introduction introduction;
  private final List<Thread> threads = new ArrayList<>();
  private final Set<Followed> unlisted = new HashSet<>();
  private final TreeMap<String, String> troubles = new TreeMap<>();
  private final Map<Followed, Integer> groups = new HashMap<>();

  /** What Calico shows in several groups. */
  private final Map<Kinds, PoolChoice> choices = new EnumMap<>(Kinds.class);

  private Optional<Condition> lastTold = Optional.empty();
  private String toldTrouble = "";
  private String toldWhy = "";
  private boolean synced;
  private boolean closed;

  private ClusterWatch(
      ApiServer server,
      Dialer dialer,
      Consumer<ClusterEvent> events,
      Consumer<Optional<Condition>> reachability) {
    for (Kinds kind : List.of(Kinds.IP_POOL, Kinds.IP_RESERVATION)) {
      choices.put(kind, new PoolChoice(kind.apiVersions().size()));
    }
    this.server = server;
    this.introduction = new Introduction(new ApiConnection(server, dialer));
    this.events = events;
    this.reachability = reachability;
  }

  /**
   * What a watch needs besides the server.
   *
   * @param settings how patiently it follows
   * @param dialer makes its sockets
   * @param threads makes its threads, one for each resource, which mostly wait for the network
   * @param random shortens waits, so that many agents do not come back together
   */
  public record Means(
      WatchSettings settings, Dialer dialer, ThreadFactory threads, RandomGenerator random) {
    /** The ordinary means, on daemon platform threads {@code sund-watch-RESOURCE}. */
    public static Means ordinary() {
      return new Means(
          WatchSettings.DEFAULT,
          Dialer.HERE,
          Thread.ofPlatform().daemon().factory(),
          new java.util.Random());
    }

    /** The same with other settings. */
    public Means with(WatchSettings changed) {
      return new Means(changed, dialer, threads, random);
    }

    /** The same with sockets from elsewhere. */
    public Means with(Dialer changed) {
      return new Means(settings, changed, threads, random);
    }

    /** The same with other threads; each is given its name. */
    public Means with(ThreadFactory changed) {
      return new Means(settings, dialer, changed, random);
    }
  }

  /**
   * Begins to follow.
   *
   * @param events takes the events, one at a time; must not block for long
   * @param reachability told a condition {@code api-unreachable} when the server cannot be reached
   *     or refuses, empty when it can again; only changes are told
   */
  public static ClusterWatch start(
      ApiServer server,
      Means means,
      Consumer<ClusterEvent> events,
      Consumer<Optional<Condition>> reachability) {
    ClusterWatch watch = new ClusterWatch(server, means.dialer(), events, reachability);
    List<Followed> all = new ArrayList<>();
    all.add(new Followed(Kinds.NODE, "v1", false));
    all.add(new Followed(Kinds.POD, "v1", false));
    all.add(new Followed(Kinds.NAMESPACE, "v1", false));
    all.add(
        new Followed(Kinds.NETWORK_POLICY, Kinds.NETWORK_POLICY.apiVersions().getFirst(), false));
    // Its definition is not part of Kubernetes.
    all.add(
        new Followed(
            Kinds.CLUSTER_NETWORK_POLICY,
            Kinds.CLUSTER_NETWORK_POLICY.apiVersions().getFirst(),
            true));
    for (Kinds kind : List.of(Kinds.SERVICE, Kinds.ENDPOINT_SLICE)) {
      // An agent may be younger than its ClusterRole.
      all.add(new Followed(kind, kind.apiVersions().getFirst(), true));
    }
    for (Kinds kind : watch.choices.keySet()) {
      for (String version : kind.apiVersions()) {
        Followed group = new Followed(kind, version, true);
        watch.groups.put(group, kind.apiVersions().indexOf(version));
        all.add(group);
      }
    }
    for (Kinds kind :
        List.of(
            Kinds.ADDRESS_BLOCK,
            Kinds.INSTALLATION,
            Kinds.SERVICE_CIDR,
            Kinds.CONFIG_MAP,
            Kinds.DAEMON_SET)) {
      Set<String> names = kind.names().isEmpty() ? Set.of("") : kind.names();
      String version = kind.apiVersions().getFirst();
      names.stream().sorted().forEach(name -> all.add(new Followed(kind, version, true, name)));
    }
    watch.unlisted.addAll(all);
    all.forEach(followed -> watch.follow(followed, means));
    watch.threads.forEach(Thread::start);
    return watch;
  }

  private void follow(Followed followed, Means means) {
    ApiConnection connection = new ApiConnection(server, means.dialer());
    connections.add(connection);
    Reflector reflector =
        new Reflector(
            followed, means.settings(), connection, introduction, means.random(), new Hearing());
    Thread thread = means.threads().newThread(reflector::run);
    thread.setName("sund-watch-" + followed.thread());
    threads.add(thread);
  }

  private final class Hearing implements Reflector.Listener {
    @Override
    public void event(Followed followed, ClusterEvent event) {
      whileOpen(() -> {
        Integer group = groups.get(followed);
        PoolChoice choice = choices.get(followed.kind());
        if (group == null || choice == null) {
          events.accept(event);
        } else {
          choice.said(group, event).ifPresent(events);
        }
      });
    }

    @Override
    public void listed(Followed followed) {
      whileOpen(() -> {
        unlisted.remove(followed);
        if (unlisted.isEmpty() && !synced) {
          synced = true;
          introduction.allListed();
          events.accept(new ClusterEvent.Synced());
        }
      });
    }

    @Override
    public void trouble(Followed followed, Optional<String> why) {
      whileOpen(() -> {
        if (why.isPresent()) {
          troubles.put(followed.label(), why.get());
        } else {
          troubles.remove(followed.label());
        }
        Optional<Condition> now = condition();
        if (!now.equals(lastTold)) {
          lastTold = now;
          reachability.accept(now);
        }
      });
    }

    @Override
    public boolean pause(Duration time) {
      lock.lock();
      try {
        long left = time.toNanos();
        while (!closed && left > 0) {
          left = ending.awaitNanos(left);
        }
        return !closed;
      } catch (InterruptedException _) {
        return false;
      } finally {
        lock.unlock();
      }
    }
  }

  private void whileOpen(Runnable body) {
    lock.lock();
    try {
      if (!closed) {
        body.run();
      }
    } finally {
      lock.unlock();
    }
  }

  /** One trouble stands for all; the same as long as it lasts. */
  private Optional<Condition> condition() {
    if (!Objects.equals(troubles.get(toldTrouble), toldWhy)) {
      toldTrouble = troubles.isEmpty() ? "" : troubles.firstKey();
      toldWhy = troubles.getOrDefault(toldTrouble, "");
    }
    return troubles.entrySet().stream()
        .filter(trouble -> trouble.getKey().equals(toldTrouble))
        .findFirst()
        .map(trouble ->
            new Condition(
                Reason.API_UNREACHABLE,
                new ObjectRef("APIServer", server.toString()),
                "",
                trouble.getKey() + " cannot be followed: " + trouble.getValue() + ".",
                "Check the server, the way to it, and the agent's rights; what is in the"
                    + " kernel stays as it is."));
  }

  /**
   * Gives up the connections that stand and makes new ones, going on where the old ones were: for a
   * machine whose address has changed, since its old connections are dead without a word.
   */
  public void redial() {
    introduction.redial();
    connections.forEach(ApiConnection::drop);
  }

  /** Ends all connections and waits for the threads, at most two seconds. Idempotent. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      ending.signalAll();
    } finally {
      lock.unlock();
    }
    introduction.close();
    connections.forEach(ApiConnection::close);
    long end = System.nanoTime() + CLOSING.toNanos();
    try {
      for (Thread thread : threads) {
        thread.join(Duration.ofNanos(Math.max(1, end - System.nanoTime())));
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
