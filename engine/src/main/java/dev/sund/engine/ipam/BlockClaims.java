package dev.sund.engine.ipam;

import dev.sund.engine.ipam.ClaimStore.StoreException;
import dev.sund.engine.ipam.HeldBlocks.Held;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongSupplier;

/**
 * Mode {@code pools}: the node gives from places of blocks that it has claimed. What it needs it
 * takes from a block of its own, then from one that nobody has, then from another node's, then from
 * nodes that the cluster has no more.
 *
 * <p>Before an address is given its block is read once more (parallel requests share the reading):
 * a machine that was brought back to an earlier moment, memory and all, believes in claims that it
 * has long given back. When the store has not answered for {@link #OUTAGE}, what is held is given
 * unread, so that pods start while the API server is away.
 */
public final class BlockClaims implements AddressSource {
  /** How long the store must have been silent for addresses to be given without asking it. */
  public static final Duration OUTAGE = Duration.ofSeconds(5);

  /** How long a block must have been without use before it is given up. */
  static final Duration IDLE = Duration.ofMinutes(1);

  /** How old the last reading of a block may be before {@link #maintain} reads it anew. */
  private static final Duration LOOK = Duration.ofMinutes(1);

  /** How often all blocks are looked through for claims of ours that this process knows not of. */
  private static final Duration RELIST = Duration.ofMinutes(10);

  /** For how long a pool that was found full is not searched again. */
  private static final Duration FULL = Duration.ofMillis(500);

  private static final int ATTEMPTS = 8;
  private static final int CANDIDATES = 64;

  private final NodeName self;
  private final ClaimStore store;
  private final LongSupplier nanos;
  private final AddressBook book;
  private final HeldBlocks held;
  private final Map<String, AddressPool> pools = new HashMap<>();
  private final Map<String, Long> fullSince = new HashMap<>();
  private final Map<String, List<Block>> lastSeen = new HashMap<>();
  private long relistedAt;
  private long failingSince;
  private boolean failing;
  private volatile String trouble = "no answer";
  private volatile List<Condition> conditions = List.of();

  /**
   * Claims of one process of a node's agent.
   *
   * @param self the node
   * @param boot the id of the kernel's boot
   * @param mark what tells this process from every other that was this node's agent
   * @param store where claims are kept
   * @param nanos monotonic time
   */
  BlockClaims(
      NodeName self,
      String boot,
      String mark,
      ClaimStore store,
      LongSupplier nanos,
      AddressBook book) {
    this.self = self;
    this.store = store;
    this.nanos = nanos;
    this.book = book;
    this.relistedAt = nanos.getAsLong();
    this.held = new HeldBlocks(self, boot, mark, store, nanos, book);
  }

  /** The cluster's pools, for what is done without a request. */
  void know(List<AddressPool> all) {
    all.forEach(pool -> pools.put(pool.name(), pool));
  }

  /** What the store said last when it did not do what was asked. */
  String trouble() {
    return trouble;
  }

  /** What is wrong with the node's claims. From any thread. */
  List<Condition> conditions() {
    return conditions;
  }

  /** The blocks in which something is held. */
  List<Held> blocks() {
    return held.all();
  }

  @Override
  public List<Portion> portions(AddressRequest request, Family family) {
    List<Portion> portions = new ArrayList<>();
    for (AddressPool pool : request.pools()) {
      if (pool.cidr().family() == family) {
        pools.put(pool.name(), pool);
        portions.add(new Portion(pool.name(), ranges(pool)));
      }
    }
    return portions;
  }

  @Override
  public More more(Portion portion) throws InterruptedException {
    AddressPool pool = pools.get(portion.pool());
    if (pool == null) {
      return More.NONE;
    }
    Long full = fullSince.get(pool.name());
    if (full != null && nanos.getAsLong() - full < FULL.toNanos()) {
      return More.NONE;
    }
    try {
      boolean got = get(pool);
      answered();
      if (got) {
        fullSince.remove(pool.name());
        return More.GOT;
      }
      fullSince.put(pool.name(), nanos.getAsLong());
      return More.NONE;
    } catch (StoreException e) {
      unanswered(e);
      return More.UNANSWERED;
    }
  }

  /** Looks for more in the order in which it costs others least. */
  private boolean get(AddressPool pool) throws StoreException, InterruptedException {
    int before = countOf(pool);
    held.begin();
    for (Held each : of(pool)) {
      held.settle(each);
    }
    if (countOf(pool) > before || growOwn(pool)) {
      return true;
    }
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      List<Block> all = look(pool);
      if (countOf(pool) > before
          || growOwn(pool)
          || claimIdle(pool, all)
          || borrow(pool, all)
          || inherit(pool, all)) {
        return true;
      }
      if (candidates(pool, all).isEmpty() && lenders(pool, all).isEmpty()) {
        return false;
      }
      // What was free when it was listed others have claimed since: their blocks may have room.
    }
    return false;
  }

  private List<Block> look(AddressPool pool) throws StoreException, InterruptedException {
    List<Block> all = store.list();
    held.adopt(all);
    lastSeen.put(pool.name(), all.stream().filter(block -> isOf(pool, block)).toList());
    return all;
  }

  private boolean growOwn(AddressPool pool) throws StoreException, InterruptedException {
    for (Held each : of(pool)) {
      if (each.block().node().equals(Optional.of(self))
          && claimIn(each.block(), portion(each.block()))) {
        return true;
      }
    }
    return false;
  }

  /** A whole block that nobody has: one that lies idle, or one never used before. */
  private boolean claimIdle(AddressPool pool, List<Block> all)
      throws StoreException, InterruptedException {
    Map<Prefix, Block> known = new TreeMap<>();
    all.forEach(block -> known.put(block.cidr(), block));
    for (Prefix cidr : candidates(pool, all)) {
      Block base = known.getOrDefault(cidr, Block.idle(cidr, pool.name()));
      if (held.claim(base, Offsets.range(0, portion(base)), Optional.of(self))) {
        return true;
      }
    }
    return false;
  }

  /** Blocks that are free; nodes begin at different ones, so that they seldom want the same. */
  private List<Prefix> candidates(AddressPool pool, List<Block> all) {
    Set<Prefix> taken = new TreeSet<>();
    List<Prefix> others = new ArrayList<>();
    for (Block block : all) {
      if (!block.isIdle() && block.cidr().length() == pool.blockSize()) {
        taken.add(block.cidr());
      } else if (!block.isIdle() && block.cidr().overlaps(pool.cidr())) {
        others.add(block.cidr());
      }
    }
    List<Prefix> found = new ArrayList<>();
    for (long index = 0; index < pool.blocks() && found.size() < CANDIDATES; index++) {
      Prefix cidr = pool.block(index);
      if (!taken.contains(cidr) && others.stream().noneMatch(cidr::overlaps)) {
        found.add(cidr);
      }
    }
    if (!found.isEmpty()) {
      java.util.Collections.rotate(found, -Math.floorMod(self.hashCode(), found.size()));
    }
    return found;
  }

  /**
   * Places of a block that is routed elsewhere; the pods that get them have routes of their own.
   */
  private boolean borrow(AddressPool pool, List<Block> all)
      throws StoreException, InterruptedException {
    for (Block block : lenders(pool, all)) {
      if (claimIn(block, Math.max(1, portion(block) / 4))) {
        return true;
      }
    }
    return false;
  }

  /** Blocks in use that have places left, those with most of them first. */
  private static List<Block> lenders(AddressPool pool, List<Block> all) {
    return all.stream()
        .filter(block -> isOf(pool, block) && !block.isIdle())
        .filter(block -> !block.unclaimed().isEmpty())
        .sorted(Comparator.comparing((Block block) -> -block.unclaimed().size()))
        .toList();
  }

  /** What nodes have that the cluster has no more. */
  private boolean inherit(AddressPool pool, List<Block> all)
      throws StoreException, InterruptedException {
    boolean freed = false;
    Set<NodeName> nodes = store.nodes();
    for (Block block : all) {
      Block rest = block;
      Set<NodeName> named = new TreeSet<>(block.claims().keySet());
      block.node().ifPresent(named::add);
      for (NodeName name : named) {
        rest = nodes.contains(name) || name.equals(self) ? rest : rest.without(name);
      }
      if (isOf(pool, block) && !rest.equals(block)) {
        // A write without answer only frees what nobody has, whenever it takes effect.
        freed |= store.write(rest).isPresent();
      }
    }
    if (!freed) {
      return false;
    }
    List<Block> now = look(pool);
    return growOwn(pool) || claimIdle(pool, now) || borrow(pool, now);
  }

  private boolean claimIn(Block first, int count) throws StoreException, InterruptedException {
    Block base = first;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      Offsets more = base.unclaimed().first(count);
      if (more.isEmpty()) {
        return false;
      }
      if (held.claim(base, more, base.node())) {
        return true;
      }
      Optional<Block> now = store.read(base.cidr());
      if (now.isEmpty() || now.get().equals(base)) {
        return false;
      }
      base = now.get();
    }
    return false;
  }

  @Override
  public Optional<Allocation.Refused> claim(Ip ip, AddressRequest request)
      throws InterruptedException {
    Optional<AddressPool> pool =
        request.pools().stream().filter(each -> each.cidr().contains(ip)).findFirst();
    if (pool.isEmpty()) {
      List<String> names =
          request.pools().stream().map(each -> each.name() + " " + each.cidr()).toList();
      return Optional.of(
          notAvailable(
              request,
              ip + " is asked for, but the pools that this pod may use are " + names + ".",
              "Ask for an address of one of them, or make a pool that contains it.",
              false));
    }
    pools.put(pool.get().name(), pool.get());
    try {
      held.begin();
      Optional<NodeName> other =
          held.holding(ip).isPresent() ? Optional.empty() : claimOne(ip, pool.get());
      answered();
      return other.map(node ->
          notAvailable(
              request,
              ip + " is asked for, but node " + node + " has claimed it.",
              "Ask for another address, or free it there with 'sund ipam release " + ip + "'.",
              true));
    } catch (StoreException e) {
      unanswered(e);
      return Optional.of(
          notAvailable(
              request,
              ip + " is asked for and cannot be claimed: " + e.why() + ".",
              "The runtime tries again by itself; look at the API server.",
              true));
    }
  }

  /** Claims one place; gives the node that has it when another has. */
  private Optional<NodeName> claimOne(Ip ip, AddressPool pool)
      throws StoreException, InterruptedException {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      List<Block> all = look(pool);
      if (held.holding(ip).isPresent()) {
        return Optional.empty();
      }
      Prefix cidr = Prefix.around(ip, pool.blockSize());
      Block base =
          all.stream()
              .filter(block -> block.cidr().contains(ip) && !block.isIdle())
              .findFirst()
              .or(() -> all.stream().filter(block -> block.cidr().equals(cidr)).findFirst())
              .orElse(Block.idle(cidr, pool.name()));
      int place = base.offset(ip);
      Optional<NodeName> claimant = base.claimant(place).filter(name -> !name.equals(self));
      if (claimant.isPresent()) {
        return claimant;
      }
      if (held.claim(base, Offsets.of(place), base.node())) {
        return Optional.empty();
      }
    }
    throw new StoreException("the blocks around " + ip + " change all the time");
  }

  @Override
  public Word confirm(Ip ip, long since) throws InterruptedException {
    Optional<Held> each = held.holding(ip);
    if (each.isEmpty()) {
      return Word.NO;
    }
    if (each.get().lookedAt() - since >= 0) {
      return Word.YES;
    }
    try {
      held.look(each.get());
      answered();
    } catch (StoreException e) {
      unanswered(e);
      boolean outage = nanos.getAsLong() - failingSince >= OUTAGE.toNanos();
      boolean trusted = outage && held.hasBegun() && held.holding(ip).isPresent();
      return trusted ? Word.UNREAD : Word.UNANSWERED;
    }
    return held.holding(ip).isPresent() ? Word.YES : Word.NO;
  }

  /**
   * Gets more before it is needed, gives back what is not, settles what is in doubt.
   *
   * @param now wall clock, for how long a block has been idle
   */
  void maintain(Instant now) throws InterruptedException {
    try {
      if (nanos.getAsLong() - relistedAt >= RELIST.toNanos()) {
        held.doubtAll();
        relistedAt = nanos.getAsLong();
      }
      held.begin();
      for (Held each : held.all()) {
        if (nanos.getAsLong() - each.lookedAt() >= LOOK.toNanos()) {
          held.look(each);
        }
      }
      held.begin(); // a look may have shown that there is more
      for (Held each : held.all()) {
        held.settle(each);
      }
      for (AddressPool pool : List.copyOf(pools.values())) {
        for (Ip ip : List.copyOf(book.used().keySet())) {
          if (pool.cidr().contains(ip) && !held.claims(ip)) {
            var other = claimOne(ip, pool); // its block was deleted, or an old state came back
          }
        }
        tend(pool, now);
      }
      answered();
    } catch (StoreException e) {
      unanswered(e);
    }
    say();
  }

  private void tend(AddressPool pool, Instant now) throws StoreException, InterruptedException {
    int free = of(pool).stream().mapToInt(each -> held.free(each).size()).sum();
    boolean used = false;
    for (Held each : of(pool)) {
      Offsets here = held.free(each);
      used |= !here.equals(each.places());
      if (!here.equals(each.places())) {
        each.idleSince(Optional.empty());
      } else if (each.idleSince().isEmpty()) {
        each.idleSince(Optional.of(now)); // the first of two observations
      }
      Offsets back = surplus(each, here, free - here.size(), now);
      if (!back.isEmpty()) {
        free -= back.size();
        held.giveBack(each, back);
      }
    }
    int low = Math.max(1, portion(Block.idle(pool.block(0), pool.name())) / 4);
    if (used && free < low) {
      var got = more(new Portion(pool.name(), List.of()));
    }
  }

  /** What of a block is given back. */
  private Offsets surplus(Held each, Offsets here, int elsewhere, Instant now) {
    int portion = portion(each.block());
    if (each.idleSince().filter(since -> !since.plus(IDLE).isAfter(now)).isPresent()) {
      return here;
    }
    if (!each.block().node().equals(Optional.of(self))) {
      return elsewhere >= Math.max(1, portion / 4) ? here : Offsets.NONE;
    }
    return here.size() > 2 * portion ? here.last(here.size() - portion) : Offsets.NONE;
  }

  private List<Held> of(AddressPool pool) {
    return held.all().stream().filter(each -> isOf(pool, each.block())).toList();
  }

  private List<IpRange> ranges(AddressPool pool) {
    return of(pool).stream().flatMap(each -> HeldBlocks.ranges(each).stream()).toList();
  }

  private int countOf(AddressPool pool) {
    return of(pool).stream().mapToInt(each -> each.places().size()).sum();
  }

  private static boolean isOf(AddressPool pool, Block block) {
    return pool.cidr().contains(block.cidr());
  }

  /** How many places are claimed at once. */
  private static int portion(Block block) {
    return Math.max(1, Math.min(64, block.size() / 4));
  }

  private void answered() {
    failing = false;
  }

  private void unanswered(StoreException e) {
    trouble = e.why();
    if (!failing) {
      failing = true;
      failingSince = nanos.getAsLong();
    }
  }

  private void say() {
    List<Condition> said = new ArrayList<>();
    for (Ip ip : book.used().keySet()) {
      boolean ours = pools.values().stream().anyMatch(pool -> pool.cidr().contains(ip));
      if (held.hasBegun() && ours && !held.claims(ip)) {
        said.add(
            new Condition(
                Reason.ADDRESS_NOT_CLAIMED,
                new ObjectRef("Pod", book.pod(ip).orElseThrow().toString()),
                "status.podIPs",
                ip + " is in use on this node, which has no claim on it any more.",
                "Delete the pod, so that it gets another address; 'sund ipam check' says who has"
                    + " the claim."));
      }
    }
    conditions = said.stream().sorted().toList();
  }

  private static Allocation.Refused notAvailable(
      AddressRequest request, String text, String remedy, boolean passing) {
    return new Allocation.Refused(
        new Condition(
            Reason.ADDRESS_NOT_AVAILABLE,
            new ObjectRef("Pod", request.pod().toString()),
            "ips",
            text,
            remedy),
        passing);
  }

  @Override
  public Condition nothing(AddressRequest request, Family family) {
    return new Condition(
        Reason.NO_POOL,
        new ObjectRef("Pod", request.pod().toString()),
        "",
        "No pool gives an IP" + family.label() + " address to this pod on node " + self + ".",
        "Look at the pools' nodeSelector, namespaceSelector, allowedUses and disabled, and at the"
            + " pod's annotations.");
  }

  @Override
  public Condition full(AddressRequest request, Family family) {
    AddressPool pool =
        request.pools().stream()
            .filter(each -> each.cidr().family() == family)
            .reduce((_, last) -> last)
            .orElseThrow();
    Map<NodeName, Integer> shares = new TreeMap<>();
    for (Block block : lastSeen.getOrDefault(pool.name(), List.of())) {
      block
          .claims()
          .forEach((name, claim) -> shares.merge(name, claim.offsets().size(), Integer::sum));
    }
    List<String> most =
        shares.entrySet().stream()
            .sorted(Map.Entry.<NodeName, Integer>comparingByValue().reversed())
            .limit(3)
            .map(share -> share.getKey() + " " + share.getValue())
            .toList();
    AddressBook.Count own = book.count(ranges(pool));
    return new Condition(
        Reason.POOL_FULL,
        new ObjectRef("IPPool", pool.name()),
        "spec.cidr",
        "All %d addresses of %s are claimed, by %d nodes (most by %s); of this node's %d, %d are in"
                .formatted(
                    new IpRange(pool.cidr().address(), pool.cidr().last()).size(),
                    pool.cidr(),
                    shares.size(),
                    String.join(", ", most),
                    own.all(),
                    own.used())
            + " use and %d cool down.".formatted(own.cooling()),
        "See whose they are with 'sund ipam show', look for lost ones with 'sund ipam check', or"
            + " add a pool.");
  }
}
