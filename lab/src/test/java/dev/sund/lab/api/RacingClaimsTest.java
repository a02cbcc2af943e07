package dev.sund.lab.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.ipam.AddressPool;
import dev.sund.engine.ipam.AddressRequest;
import dev.sund.engine.ipam.Allocation;
import dev.sund.engine.ipam.Allocator;
import dev.sund.engine.ipam.Block;
import dev.sund.engine.ipam.ClaimStore;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiServer;
import dev.sund.kube.api.Dialer;
import dev.sund.kube.claims.AddressBlocks;
import dev.sund.kube.claims.ApiClaims;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Four nodes race over HTTP for a pool that is too small for them, with the shipped permissions and
 * definitions, while answers come late, twice or never, connections break, agents are killed in the
 * middle of calls and machines reboot. No address is two pods' at once, and in the end nothing is
 * claimed.
 */
class RacingClaimsTest {
  private static final int OPERATIONS = Boolean.getBoolean("sund.long") ? 100_000 : 10_000;
  private static final long SEED = Long.getLong("sund.seed", System.nanoTime());
  private static final Duration PATIENCE = Duration.ofMillis(100);
  private static final List<AddressPool> POOLS =
      List.of(
          new AddressPool("four", Prefix.parse("10.0.0.0/26"), 29),
          new AddressPool("six", Prefix.parse("fd00::/121"), 125));

  private final WatchScene scene = new WatchScene();
  private final Map<Ip, String> truth = new ConcurrentHashMap<>();
  private final AtomicInteger left = new AtomicInteger(OPERATIONS);
  private final AtomicInteger given = new AtomicInteger();
  private final AtomicInteger killed = new AtomicInteger();
  private final AtomicLong skew = new AtomicLong();
  private volatile boolean calm;

  @AfterEach
  void close() {
    scene.close();
  }

  @Test
  void noAddressIsGivenTwiceAndNoneIsLost() throws Exception {
    System.out.println("seed " + SEED + " (-Dsund.seed=" + SEED + ")");
    Path deploy = Path.of(System.getProperty("sund.root"), "deploy");
    scene.api.define(deploy.resolve("crds"));
    scene.api.allow(Rbac.read(deploy.resolve("rbac.yaml")));
    scene.api.token("agent", Subject.serviceAccount("kube-system", "sund-agent"));
    List<Machine> machines = new ArrayList<>();
    for (int i = 1; i <= 4; i++) {
      scene.api.put(Objects.node("n" + i, "192.168.1." + i));
      machines.add(new Machine("n" + i, new Random(SEED + i)));
    }
    try (var threads = Executors.newFixedThreadPool(5)) {
      List<Future<?>> running = new ArrayList<>();
      for (Machine machine : machines) {
        running.add(
            threads.submit(() -> {
              machine.run();
              return true;
            }));
      }
      Future<?> chaos =
          threads.submit(() -> {
            chaos(new Random(SEED));
            return true;
          });
      for (Future<?> one : running) {
        one.get();
      }
      left.set(0);
      chaos.get();
    }
    settle(machines);
    System.out.println(
        OPERATIONS + " operations, " + given + " addresses given, " + killed + " kills");
  }

  private void chaos(Random random) throws InterruptedException {
    while (left.get() > 0) {
      switch (random.nextInt(5)) {
        case 0 -> scene.api.dropConnections();
        case 1 -> scene.api.faults().unavailable(1 + random.nextInt(3));
        case 2 -> {
          scene.api.faults().delay(PATIENCE.multipliedBy(2)); // done after the asker has given up
          Thread.sleep(5);
          scene.api.faults().delay(Duration.ZERO);
        }
        default -> skew.addAndGet(Duration.ofSeconds(20).toNanos());
      }
      Thread.sleep(40);
    }
    scene.api.faults().none();
  }

  private void settle(List<Machine> machines) throws Exception {
    calm = true;
    scene.api.faults().none();
    Thread.sleep(PATIENCE.multipliedBy(3)); // what is under way arrives
    for (Machine machine : machines) {
      while (!machine.disk.isEmpty()) {
        machine.delete();
      }
    }
    assertThat(truth).isEmpty();
    long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    // What is not answered in time is done by a later round, and so is what still comes late.
    for (int i = 0; i < 5 || (!isIdle() && System.nanoTime() < end); i++) {
      skew.addAndGet(Duration.ofMinutes(i == 0 ? 10 : 1).toNanos());
      for (Machine machine : machines) {
        machine.allocator.know(POOLS);
        machine.allocator.maintain();
      }
    }
    for (Machine machine : machines) {
      machine.objects.close();
    }
    List<Block> blocks = blocks();
    assertThat(blocks).isNotEmpty();
    assertThat(blocks).as("claims that are left").allMatch(Block::isIdle);
  }

  private boolean isIdle() {
    return blocks().stream().allMatch(Block::isIdle);
  }

  private List<Block> blocks() {
    List<Block> blocks = new ArrayList<>();
    for (Tree.Mapping object :
        scene.api.list(scene.api.resource("sund.dev/v1alpha1", "AddressBlock").orElseThrow())) {
      blocks.add(AddressBlocks.read(object));
    }
    return blocks;
  }

  /** The agent's process ended. */
  private static final class Killed extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  private final class Machine {
    final NodeName name;
    final Random random;
    final ApiObjects objects;
    final Map<String, List<Ip>> disk = new HashMap<>();
    final Map<Ip, Instant> released = new HashMap<>();
    String boot = "boot-0";
    int life;
    int pods;
    Allocator allocator;

    Machine(String name, Random random) {
      this.name = new NodeName(name);
      this.random = random;
      this.objects =
          new ApiObjects(
              ApiServer.plain("127.0.0.1", scene.port(), "agent"), Dialer.HERE, PATIENCE);
      this.allocator = begin();
    }

    private Allocator begin() {
      Allocator begun =
          Allocator.ofPools(
              name,
              boot,
              name + "-" + ++life,
              new Doubtful(new ApiClaims(objects)),
              Duration.ofSeconds(10),
              () -> Instant.now().plusNanos(skew.get()),
              () -> System.nanoTime() + skew.get());
      disk.forEach((owner, ips) -> begun.restore(owner, new PodKey("p", owner), ips));
      released.forEach((ip, at) -> begun.restoreCooling(ip, new PodKey("p", "gone"), at));
      return begun;
    }

    void run() throws InterruptedException {
      while (left.getAndDecrement() > 0) {
        try {
          switch (random.nextInt(100)) {
            case 0 -> allocator = begin();
            case 1 -> {
              disk.forEach((_, ips) -> ips.forEach(truth::remove));
              disk.clear();
              released.clear();
              boot = "boot-" + ++life;
              allocator = begin();
            }
            case 2, 3, 4, 5 -> allocator.maintain();
            default -> {
              if (random.nextBoolean()) {
                add();
              } else {
                delete();
              }
            }
          }
        } catch (Killed _) {
          killed.incrementAndGet();
          allocator = begin();
        }
      }
    }

    private void add() throws InterruptedException {
      String owner = "pod" + ++pods;
      Set<Family> families =
          random.nextBoolean() ? Set.of(Family.V4, Family.V6) : Set.of(Family.V4);
      Allocation answer =
          allocator.allocate(
              new AddressRequest(owner, new PodKey("p", owner), owner, families, List.of(), POOLS));
      if (answer instanceof Allocation.Given(List<Ip> ips)) {
        for (Ip ip : ips) {
          String before = truth.putIfAbsent(ip, name + "/" + owner);
          assertThat(before).as("who has %s besides %s of %s", ip, owner, name).isNull();
        }
        disk.put(owner, ips);
        given.addAndGet(ips.size());
      }
    }

    void delete() {
      Optional<String> owner =
          disk.keySet().stream().sorted().skip(random.nextInt(disk.size() + 1)).findFirst();
      if (owner.isEmpty() && !disk.isEmpty()) {
        owner = disk.keySet().stream().findFirst();
      }
      owner.ifPresent(gone -> {
        List<Ip> ips = disk.getOrDefault(gone, List.of());
        disk.remove(gone);
        ips.forEach(ip -> {
          released.put(ip, Instant.now().plusNanos(skew.get()));
          truth.remove(ip);
        });
        allocator.release(gone);
      });
    }

    /** The real store, which now and then is asked twice, and whose caller may be killed. */
    private final class Doubtful implements ClaimStore {
      private final ClaimStore store;

      Doubtful(ClaimStore store) {
        this.store = store;
      }

      @Override
      public List<Block> list() throws StoreException, InterruptedException {
        return store.list();
      }

      @Override
      public Optional<Block> read(Prefix cidr) throws StoreException, InterruptedException {
        return store.read(cidr);
      }

      @Override
      public Optional<Block> write(Block block) throws StoreException, InterruptedException {
        dieMaybe();
        Optional<Block> stored = store.write(block);
        if (!calm && random.nextInt(20) == 0) {
          stored = store.write(block);
        }
        dieMaybe();
        return stored;
      }

      @Override
      public Set<NodeName> nodes() throws StoreException, InterruptedException {
        return store.nodes();
      }

      private void dieMaybe() {
        if (!calm && random.nextInt(40) == 0) {
          throw new Killed();
        }
      }
    }
  }
}
