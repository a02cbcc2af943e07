package dev.sund.engine.ipam;

import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A store in memory whose network loses requests and answers, does things late and twice, and whose
 * caller may be killed in the middle of a call.
 */
final class FaultyStore implements ClaimStore {
  /** The caller's process ends here; what it asked for may still be done. */
  static final class Killed extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  final Map<Prefix, Block> blocks = new TreeMap<>();
  final Set<NodeName> nodes = new TreeSet<>();
  private final Random random;
  private final List<Block> late = new ArrayList<>();
  private long version;

  /** What happened, for the story of a failure. */
  final List<String> log = new ArrayList<>();

  boolean down;

  /** The next write is under way for long. */
  boolean holdNext;

  /** The next write is asked twice after a broken connection: the second answer is told. */
  boolean twiceNext;

  /** What others do while a call is under way. */
  Runnable meanwhile = () -> {};

  double faults;
  double kills;
  long calls;

  FaultyStore(Random random) {
    this.random = random;
  }

  @Override
  public List<Block> list() throws StoreException {
    before();
    List<Block> all = List.copyOf(blocks.values());
    after();
    return all;
  }

  @Override
  public Optional<Block> read(Prefix cidr) throws StoreException {
    before();
    Optional<Block> block = Optional.ofNullable(blocks.get(cidr));
    after();
    return block;
  }

  @Override
  public Optional<Block> write(Block block) throws StoreException {
    calls++;
    meanwhile.run();
    if (holdNext) {
      holdNext = false;
      late.add(block);
      throw new StoreException("no answer within 1 second");
    }
    if (random.nextDouble() < faults) {
      switch (random.nextInt(3)) {
        case 0 -> later(block); // it is under way for long
        case 1 -> put(block); // its answer is lost
        default -> {
          // It is lost on its way there.
        }
      }
      after();
      throw new StoreException("no answer within 1 second");
    }
    if (down) {
      throw new StoreException("connection refused");
    }
    Optional<Block> stored = put(block);
    if (random.nextDouble() < faults) {
      later(block); // it comes a second time
    }
    if (twiceNext || random.nextDouble() < faults) {
      twiceNext = false;
      stored = put(block);
    }
    after();
    return stored;
  }

  @Override
  public Set<NodeName> nodes() throws StoreException {
    before();
    return Set.copyOf(nodes);
  }

  /** Some of what is under way arrives now. */
  void deliver(int most) {
    for (int i = 0; i < most && !late.isEmpty(); i++) {
      put(late.remove(random.nextInt(late.size())));
    }
  }

  private void later(Block block) {
    log.add("late " + block);
    late.add(block);
  }

  private Optional<Block> put(Block block) {
    Block stored = blocks.get(block.cidr());
    String has = stored == null ? "" : stored.version();
    boolean fits = has.equals(block.version());
    log.add((fits ? "stored " : "conflict ") + block);
    if (!fits) {
      return Optional.empty();
    }
    Block changed = block.at(Long.toString(++version));
    blocks.put(block.cidr(), changed);
    return Optional.of(changed);
  }

  private void before() throws StoreException {
    calls++;
    meanwhile.run();
    if (down || random.nextDouble() < faults) {
      after();
      throw new StoreException("no answer within 1 second");
    }
  }

  private void after() {
    if (random.nextDouble() < kills) {
      throw new Killed();
    }
  }
}
