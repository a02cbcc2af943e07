package dev.sund.engine.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.Property;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Nodes that race for a small pool, are killed, rebooted, frozen and brought back, over a network
 * that loses, delays and repeats: no address is ever two pods' at once, and nothing stays claimed
 * when all pods are gone.
 */
class RacingNodesTest {
  private static final Duration COOL = Duration.ofSeconds(10);

  @Test
  void noAddressIsGivenTwiceAndNoneIsLost() {
    Property.forAll(
        2000, random -> random.nextLong(), seed -> new World(new Random(seed)).run(300));
  }

  /** The truth, outside of every node's mind. */
  private static final class World {
    final Random random;
    final FaultyStore store;
    final List<AddressPool> pools = new ArrayList<>();
    final List<Machine> machines = new ArrayList<>();
    final Map<Ip, String> truth = new TreeMap<>();
    final Set<Machine> busy = new HashSet<>();
    Instant now = Instant.parse("2026-01-01T00:00:00Z");
    long nanos = 1_000_000_000L;
    int pods;
    int given;

    World(Random random) {
      this.random = random;
      store = new FaultyStore(random);
      pools.add(new AddressPool("small", Prefix.parse("10.0.0.0/27"), 29 + random.nextInt(3)));
      if (random.nextBoolean()) {
        pools.add(new AddressPool("six", Prefix.parse("fd00::/122"), 124));
      }
      for (int i = 0; i < 2 + random.nextInt(3); i++) {
        machines.add(new Machine(this, new NodeName("n" + i)));
      }
    }

    void run(int steps) throws Exception {
      store.faults = random.nextInt(3) * 0.07;
      store.meanwhile = this::somebodyElse;
      try {
        race(steps);
        settle();
      } catch (AssertionError e) {
        List<String> story =
            store.log.subList(Math.max(0, store.log.size() - 80), store.log.size());
        throw new AssertionError(String.join("\n", story), e);
      }
    }

    private void race(int steps) throws InterruptedException {
      for (int step = 0; step < steps; step++) {
        store.kills = random.nextInt(4) == 0 ? 0.05 : 0;
        step(machines.get(random.nextInt(machines.size())));
      }
    }

    private void step(Machine machine) throws InterruptedException {
      busy.add(machine);
      try {
        one(machine);
      } catch (FaultyStore.Killed _) {
        store.log.add("killed " + machine.name);
        machine.start();
      } finally {
        busy.remove(machine);
      }
      pass(Duration.ofMillis(random.nextInt(3000)));
      if (random.nextInt(4) == 0) {
        store.deliver(random.nextInt(4));
      }
    }

    /** Nodes act at the same time: what one reads may be old before it writes. */
    private void somebodyElse() {
      Machine other = machines.get(random.nextInt(machines.size()));
      if (random.nextInt(8) == 0 && !busy.contains(other)) {
        try {
          step(other);
        } catch (InterruptedException e) {
          throw new AssertionError(e);
        }
      }
    }

    private void one(Machine machine) throws InterruptedException {
      switch (random.nextInt(20)) {
        case 0 -> machine.start();
        case 1 -> machine.reboot();
        case 2 -> machine.freeze();
        case 3 -> machine.thaw();
        case 4 -> {
          // A pool edited to other blocks, on the fly, as nobody should.
          if (random.nextInt(3) == 0) {
            pools.set(0, new AddressPool("small", pools.getFirst().cidr(), 29 + random.nextInt(3)));
          }
        }
        case 5 -> {
          if (random.nextInt(4) == 0) {
            store.down = !store.down;
          }
        }
        case 6, 7, 8 -> machine.allocator.maintain();
        case 9, 10, 11, 12, 13 -> machine.delete();
        default -> machine.add();
      }
    }

    private void settle() throws InterruptedException {
      store.faults = 0;
      store.meanwhile = () -> {};
      store.kills = 0;
      store.down = false;
      store.deliver(Integer.MAX_VALUE);
      for (Machine machine : machines) {
        machine.thawed = Optional.empty();
        while (!machine.disk.isEmpty()) {
          machine.delete();
        }
      }
      assertThat(truth).isEmpty();
      for (int i = 0; i < 8; i++) {
        pass(Duration.ofMinutes(i == 0 ? 10 : 1));
        for (Machine machine : machines) {
          machine.allocator.know(pools);
          machine.allocator.maintain();
        }
      }
      assertThat(store.blocks.values()).as("claims that are left").allMatch(Block::isIdle);
    }

    void pass(Duration time) {
      now = now.plus(time);
      nanos += time.toNanos();
    }
  }

  /** A node's machine: its disk outlives its agents, its kernel its agents but no reboot. */
  private static final class Machine {
    final World world;
    final NodeName name;
    Map<String, List<Ip>> disk = new HashMap<>();
    Map<Ip, Instant> released = new HashMap<>();
    String boot = "";
    int life;
    Allocator allocator;
    boolean restored;
    Optional<Frozen> thawed = Optional.empty();

    /** All of a machine's memory and disk at one moment. */
    record Frozen(
        Allocator allocator, Map<String, List<Ip>> disk, Map<Ip, Instant> released, String boot) {}

    Machine(World world, NodeName name) {
      this.world = world;
      this.name = name;
      world.store.nodes.add(name);
      this.boot = "boot-0";
      this.allocator = begin();
    }

    /** The agent's process ends, however, and another begins. */
    void start() {
      allocator = begin();
    }

    private Allocator begin() {
      life++;
      restored = false;
      Allocator begun =
          Allocator.ofPools(
              name, boot, name + "-" + life, world.store, COOL, () -> world.now, () -> world.nanos);
      disk.forEach((owner, ips) -> begun.restore(owner, new PodKey("p", owner), ips));
      released.forEach((ip, at) -> begun.restoreCooling(ip, new PodKey("p", "gone"), at));
      return begun;
    }

    void reboot() {
      world.store.log.add("reboot " + name);
      disk.forEach((_, ips) -> ips.forEach(world.truth::remove));
      disk.clear();
      released.clear();
      boot = "boot-" + ++life;
      start();
    }

    /** A snapshot is taken; the machine goes on, with another process as it happens. */
    void freeze() {
      world.store.log.add("freeze " + name);
      if (thawed.isEmpty()) {
        thawed =
            Optional.of(new Frozen(allocator, new HashMap<>(disk), new HashMap<>(released), boot));
        start();
      }
    }

    /**
     * The machine is brought back to its snapshot. Its pods of now are gone. Those of then that had
     * been deleted since run again, which no allocator can undo: the runtime ends them, and they
     * are not counted. Nor is what such an agent gives while the API does not answer, when it has
     * to trust its memory.
     */
    void thaw() {
      if (thawed.isEmpty() || world.store.down) {
        return;
      }
      world.store.log.add("thaw " + name);
      Frozen then = thawed.get();
      Map<String, List<Ip>> now = disk;
      disk = new HashMap<>();
      then.disk.forEach((owner, ips) -> {
        if (now.containsKey(owner)) {
          disk.put(owner, ips);
        } else {
          then.allocator.release(owner);
        }
      });
      now.forEach((owner, ips) -> {
        if (!disk.containsKey(owner)) {
          ips.forEach(world.truth::remove);
        }
      });
      released = then.released;
      allocator = then.allocator;
      boot = then.boot;
      thawed = Optional.empty();
      restored = true;
    }

    void add() throws InterruptedException {
      String owner = "pod" + ++world.pods;
      Set<Family> families =
          world.pools.size() > 1 && world.random.nextBoolean()
              ? Set.of(Family.V4, Family.V6)
              : Set.of(Family.V4);
      List<Ip> fixed =
          world.random.nextInt(8) == 0
              ? List.of(Ip.parse("10.0.0." + world.random.nextInt(32)))
              : List.of();
      AddressRequest request =
          new AddressRequest(
              owner, new PodKey("p", owner), owner, families, fixed, List.copyOf(world.pools));
      Allocator agent = allocator;
      long unread = agent.givenUnread();
      if (!(agent.allocate(request) instanceof Allocation.Given(List<Ip> ips))) {
        return;
      }
      if (restored && agent.givenUnread() > unread) {
        agent.release(owner);
        return;
      }
      assertThat(ips).hasSize(families.size());
      for (Ip ip : ips) {
        String before = world.truth.put(ip, name + "/" + owner);
        assertThat(before).as("who has %s besides %s on %s", ip, owner, name).isNull();
      }
      if (world.random.nextInt(20) == 0) {
        ips.forEach(world.truth::remove); // killed before it was written down: nobody used it
        throw new FaultyStore.Killed();
      }
      world.given++;
      disk.put(owner, ips);
      world.store.log.add("given " + name + " " + owner + " " + ips);
    }

    void delete() {
      if (disk.isEmpty()) {
        return;
      }
      List<String> owners = disk.keySet().stream().sorted().toList();
      String owner = owners.get(world.random.nextInt(owners.size()));
      List<Ip> ips = disk.getOrDefault(owner, List.of());
      disk.remove(owner);
      ips.forEach(ip -> {
        world.truth.remove(ip);
        released.put(ip, world.now);
      });
      allocator.release(owner);
      world.store.log.add("deleted " + name + " " + owner + " " + ips);
    }
  }
}
