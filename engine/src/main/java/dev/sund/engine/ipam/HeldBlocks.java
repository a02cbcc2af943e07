package dev.sund.engine.ipam;

import dev.sund.engine.ipam.ClaimStore.StoreException;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongSupplier;

/**
 * What of the pools' blocks is surely this node's, and the discipline by which that stays true.
 *
 * <p>A write takes effect only while the block is at the version that the write names. So as long
 * as an unanswered write may still take effect, a read shows that version; and what the node holds
 * meanwhile is what both the block at that version and the write give it. Giving back therefore
 * means to cease to hold first and to write then; and a read that shows another version, or a write
 * that was answered, ends all doubt. Every write changes the claim's mark, since a server does not
 * store what changes nothing.
 *
 * <p>Not for several threads.
 */
final class HeldBlocks {
  private static final int ATTEMPTS = 8;

  private final NodeName self;
  private final String boot;
  private final String mark;
  private final ClaimStore store;
  private final LongSupplier nanos;
  private final AddressBook book;
  private final NavigableMap<Prefix, Held> held = new TreeMap<>();
  private long writes;
  private boolean begun;

  /** A block in which this node holds something, or may. */
  static final class Held {
    private Block seen;
    private Offsets places;
    private Offsets doubtful = Offsets.NONE;
    private boolean checked;
    private long lookedAt;
    private Optional<Instant> idleSince = Optional.empty();

    private Held(Block seen, Offsets places, boolean checked, long lookedAt) {
      this.seen = seen;
      this.places = places;
      this.checked = checked;
      this.lookedAt = lookedAt;
    }

    /** The block as it was read or written last. */
    Block block() {
      return seen;
    }

    /** What may be given. */
    Offsets places() {
      return checked ? places : Offsets.NONE;
    }

    /** When it was read last, in monotonic nanoseconds. */
    long lookedAt() {
      return lookedAt;
    }

    /** Since when it has been seen without use. */
    Optional<Instant> idleSince() {
      return idleSince;
    }

    void idleSince(Optional<Instant> when) {
      idleSince = when;
    }
  }

  HeldBlocks(
      NodeName self,
      String boot,
      String mark,
      ClaimStore store,
      LongSupplier nanos,
      AddressBook book) {
    this.self = self;
    this.boot = boot;
    this.mark = mark;
    this.store = store;
    this.nanos = nanos;
    this.book = book;
  }

  /** All of them; a copy, since every call may change them. */
  List<Held> all() {
    return List.copyOf(held.values());
  }

  /** The block with this range. */
  Optional<Held> get(Prefix cidr) {
    return Optional.ofNullable(held.get(cidr));
  }

  /** The block that holds an address that may be given. */
  Optional<Held> holding(Ip ip) {
    return held.values().stream()
        .filter(each -> each.seen.cidr().contains(ip))
        .filter(each -> each.places().has(each.seen.offset(ip)))
        .findFirst();
  }

  /** Whether an address is claimed, even if none of its block may be given now. */
  boolean claims(Ip ip) {
    return held.values().stream()
        .anyMatch(each -> each.seen.cidr().contains(ip) && each.places.has(each.seen.offset(ip)));
  }

  /** Whether the claims of earlier agents have been taken up. */
  boolean hasBegun() {
    return begun;
  }

  /**
   * Takes up the claims that earlier agents of this node made, before anything is given: what such
   * an agent still had under way fails from now on.
   */
  void begin() throws StoreException, InterruptedException {
    if (begun) {
      return;
    }
    List<Block> all = store.list();
    begun = true; // until something is found to be otherwise than this process knows it
    try {
      adopt(all);
    } catch (StoreException e) {
      begun = false;
      throw e;
    }
    for (Held each : all()) {
      if (!each.checked && overlapped(each.seen, all)) {
        withdraw(each); // of an agent that died between claiming and checking
      }
    }
  }

  /** The next {@link #begin} looks at everything anew. */
  void doubtAll() {
    begun = false;
  }

  /** Takes up what a list of all blocks says of ours. */
  void adopt(Collection<Block> all) throws StoreException, InterruptedException {
    for (Block block : all) {
      Held each = held.get(block.cidr());
      if (each != null) {
        adopt(each, Optional.of(block));
      } else if (block.node().equals(Optional.of(self)) || !block.claimed(self).isEmpty()) {
        retake(block, !overlapped(block, all));
      }
    }
  }

  /** Reads a block anew and takes up what it says. */
  void look(Held each) throws StoreException, InterruptedException {
    long began = nanos.getAsLong();
    Prefix cidr = each.seen.cidr();
    adopt(each, store.read(cidr));
    Held now = held.get(cidr);
    if (now != null) {
      now.lookedAt = began;
    }
  }

  private void adopt(Held each, Optional<Block> now) throws StoreException, InterruptedException {
    if (now.map(Block::version).orElse("").equals(each.seen.version())) {
      return; // a write without answer may still take effect
    }
    Block block = now.orElse(Block.idle(each.seen.cidr(), each.seen.pool()));
    Block.Claim claim = block.claims().get(self);
    if (claim != null && isOurs(block) && used(block).minus(claim.offsets()).isEmpty()) {
      each.seen = block;
      each.places = claim.offsets();
      each.doubtful = Offsets.NONE;
      return;
    }
    // Somebody else wrote our claim, or took it away: what is in use is claimed again.
    held.remove(block.cidr());
    begun = false; // there may be more that is not as this process knows it
    retake(block, false);
  }

  /**
   * Claims places of a block.
   *
   * @param base the block as it was read
   * @param more what nobody has claimed in it
   * @return whether they may be given now; when not, the block was changed in between, or overlaps
   *     another
   */
  boolean claim(Block base, Offsets more, Optional<NodeName> route)
      throws StoreException, InterruptedException {
    Optional<Held> got = put(base, base.claimed(self).plus(more), route);
    return got.isPresent() && check(got.get());
  }

  /** Gives places back; until that was answered they are nobody's to give. */
  void giveBack(Held each, Offsets back) throws StoreException, InterruptedException {
    each.places = each.places.minus(back);
    each.doubtful = each.doubtful.plus(back);
    settle(each);
  }

  /** Ends doubt about a block, by a write or by reading that it is another now. */
  void settle(Held each) throws StoreException, InterruptedException {
    if (!each.doubtful.isEmpty()) {
      Block base = each.seen;
      Offsets mine = base.claimed(self);
      Offsets wanted = each.places.plus(used(base).and(mine.plus(base.unclaimed())));
      if (wanted.isEmpty() && mine.isEmpty()) {
        // There is nothing to take away, so only a claim changes the block, and ends the doubt.
        wanted = each.doubtful.and(base.unclaimed());
      }
      if (put(base, wanted, route(base, wanted)).isEmpty()) {
        look(each);
      }
    }
    Held now = held.get(each.seen.cidr());
    if (now != null && now.doubtful.isEmpty()) {
      var usable = check(now);
    }
  }

  /** A block in which nothing is claimed any more is not routed here any more either. */
  private Optional<NodeName> route(Block base, Offsets wanted) {
    return base.node().filter(name -> !wanted.isEmpty() || !name.equals(self));
  }

  /**
   * Writes our mark into our claim of a block, with what is in use there and claimed by nobody.
   *
   * @param checked whether the claim, as the block was read, has been found to overlap no other
   */
  private void retake(Block first, boolean checked) throws StoreException, InterruptedException {
    Block base = first;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      Offsets wanted = base.claimed(self).plus(used(base).and(base.unclaimed()));
      if (wanted.isEmpty() && !base.node().equals(Optional.of(self))) {
        return; // nothing of ours is in it
      }
      Optional<Held> got = put(base, wanted, route(base, wanted));
      if (got.isPresent()) {
        got.get().checked |= checked && attempt == 0;
        return;
      }
      base = store.read(base.cidr()).orElse(Block.idle(base.cidr(), base.pool()));
    }
    throw new StoreException("the block " + base.cidr() + " changes all the time");
  }

  /** Every write of ours goes this way. Empty when the block was changed since it was read. */
  private Optional<Held> put(Block base, Offsets places, Optional<NodeName> route)
      throws StoreException, InterruptedException {
    Optional<Held> known = get(base.cidr());
    boolean established =
        known.filter(each -> each.checked).isPresent()
            && !base.claimed(self).isEmpty()
            && isOurs(base);
    long began = nanos.getAsLong();
    Block.Claim claim = new Block.Claim(boot, mark + "." + ++writes, places);
    Optional<Block> stored;
    try {
      stored = store.write(base.with(self, claim).routedTo(route));
    } catch (StoreException e) {
      doubt(base, places, established);
      throw e;
    }
    if (stored.isEmpty()) {
      return Optional.empty();
    }
    Held kept = new Held(stored.get(), stored.get().claimed(self), established, began);
    kept.idleSince = known.flatMap(Held::idleSince);
    if (kept.places.isEmpty()) {
      held.remove(base.cidr());
    } else {
      held.put(base.cidr(), kept);
    }
    return Optional.of(kept);
  }

  private void doubt(Block base, Offsets places, boolean established) {
    Optional<Held> known = get(base.cidr());
    Offsets sure =
        isOurs(base)
            ? known
                .map(each -> each.places)
                .orElse(Offsets.NONE)
                .and(base.claimed(self))
                .and(places)
            : Offsets.NONE;
    long lookedAt = known.map(Held::lookedAt).orElse(nanos.getAsLong());
    Held doubted = new Held(base, sure, established, lookedAt);
    doubted.doubtful = base.claimed(self).plus(places).minus(sure);
    held.put(base.cidr(), doubted);
  }

  /**
   * Looks whether a block that we have just claimed overlaps another of another size, which pools
   * that were changed, or that overlap, lead to. Each claims first and looks then, so of two at
   * least one sees the other, and withdraws what is not in use.
   */
  private boolean check(Held each) throws StoreException, InterruptedException {
    if (each.checked) {
      return true;
    }
    if (overlapped(each.seen, store.list())) {
      withdraw(each);
      return false; // still unchecked, and so not given, whether or not the withdrawal was taken
    }
    each.checked = true;
    return true;
  }

  private void withdraw(Held each) throws StoreException, InterruptedException {
    Offsets unused = each.places.minus(used(each.seen));
    if (!unused.isEmpty()) {
      giveBack(each, unused);
    }
  }

  private static boolean overlapped(Block own, Collection<Block> all) {
    Prefix cidr = own.cidr();
    return all.stream()
        .anyMatch(
            block -> !block.isIdle() && !block.cidr().equals(cidr) && block.cidr().overlaps(cidr));
  }

  /** Whether our claim of a block was written by this process last. */
  private boolean isOurs(Block block) {
    Block.Claim claim = block.claims().get(self);
    return claim != null && claim.agent().startsWith(mark + ".");
  }

  /** The places of a block whose addresses pods of this node have or are about to have. */
  private Offsets used(Block block) {
    return Offsets.of(
        book.needed()
            .filter(block.cidr()::contains)
            .filter(
                ip -> holding(ip).filter(each -> !each.seen.cidr().equals(block.cidr())).isEmpty())
            .mapToInt(block::offset));
  }

  /** The places that nobody uses and that have cooled down. */
  Offsets free(Held each) {
    return Offsets.of(
        each.places().stream()
            .filter(offset -> {
              Ip ip = each.seen.address(offset);
              return book.owner(ip).isEmpty() && !book.cooling().containsKey(ip);
            }));
  }

  /** The addresses of a block that may be given, as ranges. */
  static List<IpRange> ranges(Held each) {
    List<IpRange> ranges = new ArrayList<>();
    int first = -1;
    int last = -2;
    for (int offset : each.places().stream().toArray()) {
      if (offset != last + 1) {
        if (first >= 0) {
          ranges.add(new IpRange(each.seen.address(first), each.seen.address(last)));
        }
        first = offset;
      }
      last = offset;
    }
    if (first >= 0) {
      ranges.add(new IpRange(each.seen.address(first), each.seen.address(last)));
    }
    return ranges;
  }
}
