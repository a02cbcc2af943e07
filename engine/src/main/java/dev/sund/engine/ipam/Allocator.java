package dev.sund.engine.ipam;

import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * Gives a node's pods their addresses and takes them back.
 *
 * <p>For any thread; one at a time is served, and who waits too long is told to come again. The
 * caller writes what was given to disk before it lets anybody use it, and brings it back by {@link
 * #restore} after a restart; what it never wrote was never used.
 */
public final class Allocator {
  /** How long an address is not given again. */
  public static final Duration COOL_DOWN = Duration.ofSeconds(10);

  private static final Duration PATIENCE = Duration.ofSeconds(8);

  private final AddressSource source;
  private final AddressBook book;
  private final InstantSource clock;
  private final LongSupplier nanos;
  private final ReentrantLock lock = new ReentrantLock(true);
  private volatile long givenUnread;

  private Allocator(
      Function<AddressBook, AddressSource> source,
      Duration coolDown,
      InstantSource clock,
      LongSupplier nanos) {
    this.book = new AddressBook(coolDown);
    this.source = source.apply(book);
    this.clock = clock;
    this.nanos = nanos;
  }

  /**
   * Mode {@code kubernetes}: gives from the node's own ranges, of which there are none yet.
   *
   * @param clock wall clock, which alone outlives the process
   */
  public static Allocator ofNode(NodeName node, Duration coolDown, InstantSource clock) {
    return new Allocator(book -> new NodeRanges(node, book), coolDown, clock, System::nanoTime);
  }

  /**
   * Mode {@code pools}: gives from blocks of pools.
   *
   * @param boot the id of the kernel's boot
   * @param mark what tells this process from every other that was this node's agent
   * @param store where claims are kept
   * @param nanos monotonic time
   */
  public static Allocator ofPools(
      NodeName node,
      String boot,
      String mark,
      ClaimStore store,
      Duration coolDown,
      InstantSource clock,
      LongSupplier nanos) {
    return new Allocator(
        book -> new BlockClaims(node, boot, mark, store, nanos, book), coolDown, clock, nanos);
  }

  /** Mode {@code kubernetes}: the node's ranges are these from now on. */
  public void ranges(List<Prefix> ranges) {
    lock.lock();
    try {
      if (source instanceof NodeRanges own) {
        own.ranges(ranges);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Addresses that are never given unless asked for by name. */
  public void reserve(List<Prefix> ranges) {
    lock.lock();
    try {
      book.reserve(ranges);
    } finally {
      lock.unlock();
    }
  }

  /** Takes up what an earlier agent of this boot gave, before anything else is given. */
  public void restore(String owner, PodKey pod, List<Ip> addresses) {
    lock.lock();
    try {
      book.put(owner, pod, addresses);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Notes that somebody else's choice of addresses is in use here, so that they are not given.
   *
   * @return false when one of them is another owner's
   */
  public boolean note(String owner, PodKey pod, List<Ip> addresses) {
    lock.lock();
    try {
      if (addresses.stream().anyMatch(ip -> !book.owner(ip).orElse(owner).equals(owner))) {
        return false;
      }
      book.put(owner, pod, addresses);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Takes up that an address was released before, at this time. */
  public void restoreCooling(Ip ip, PodKey pod, java.time.Instant released) {
    lock.lock();
    try {
      book.cool(ip, pod, released);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Gives addresses: all that are asked for or none. An owner that has some already gets the same
   * again.
   */
  public Allocation allocate(AddressRequest request) throws InterruptedException {
    long arrived = nanos.getAsLong();
    if (!lock.tryLock(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
      return new Allocation.Refused(busy(request), true);
    }
    try {
      if (!book.of(request.owner()).isEmpty()) {
        return new Allocation.Given(book.of(request.owner()));
      }
      Allocation chosen = choose(request, arrived);
      if (chosen instanceof Allocation.Given(List<Ip> addresses)) {
        book.put(request.owner(), request.pod(), addresses);
      }
      return chosen;
    } finally {
      lock.unlock();
    }
  }

  /**
   * What {@link #allocate} would answer now; nothing is given.
   *
   * @param request of an owner that has nothing
   */
  public Allocation probe(AddressRequest request) throws InterruptedException {
    long arrived = nanos.getAsLong();
    if (!lock.tryLock(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
      return new Allocation.Refused(busy(request), true);
    }
    try {
      return choose(request, arrived);
    } finally {
      lock.unlock();
    }
  }

  private Allocation choose(AddressRequest request, long arrived) throws InterruptedException {
    List<Ip> chosen = new ArrayList<>();
    try {
      for (Family family : request.families().stream().sorted().toList()) {
        Optional<Ip> fixed =
            request.fixed().stream().filter(ip -> ip.family() == family).findFirst();
        Choice choice =
            fixed.isPresent()
                ? fixed(request, fixed.get(), arrived)
                : free(request, family, arrived);
        switch (choice) {
          case Choice.Found(Ip ip) -> {
            chosen.add(ip);
            book.pledge(ip);
          }
          case Choice.Not(Allocation.Refused refused) -> {
            return refused; // nothing was entered yet: half a success is none
          }
        }
      }
      return new Allocation.Given(chosen);
    } finally {
      book.endPledges();
    }
  }

  /**
   * Lets an owner's addresses go to another attachment of the same pod, which takes its place.
   *
   * @return whether {@code from} had any
   */
  public boolean handOver(String from, String to, PodKey pod) {
    lock.lock();
    try {
      List<Ip> addresses = book.release(from, clock.instant());
      if (addresses.isEmpty()) {
        return false;
      }
      book.put(to, pod, addresses);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Takes an owner's addresses back; nothing happens when it has none. */
  public List<Ip> release(String owner) {
    lock.lock();
    try {
      return book.release(owner, clock.instant());
    } finally {
      lock.unlock();
    }
  }

  /**
   * Does what is due and not urgent: gets more before it is needed, gives back what is not needed,
   * settles what is in doubt. Waits for the store.
   */
  public void maintain() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      book.tidy(clock.instant());
      switch (source) {
        case NodeRanges _ -> {
          // The cluster's controller does all that there is to do.
        }
        case BlockClaims claims -> claims.maintain(clock.instant());
      }
    } finally {
      lock.unlock();
    }
  }

  /** Takes note of the pools that exist, for what is done without a request. */
  public void know(List<AddressPool> pools) {
    lock.lock();
    try {
      if (source instanceof BlockClaims claims) {
        claims.know(pools);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * How many addresses were given from claims that could not be read once more, since the store had
   * been silent for {@link BlockClaims#OUTAGE}. From any thread.
   */
  public long givenUnread() {
    return givenUnread;
  }

  /** What is wrong that nobody's request tells. */
  public List<Condition> conditions() {
    return switch (source) {
      case NodeRanges _ -> List.of();
      case BlockClaims claims -> claims.conditions();
    };
  }

  /** Owners and their addresses. */
  public Map<String, List<Ip>> given() {
    lock.lock();
    try {
      Map<String, List<Ip>> all = new TreeMap<>();
      new java.util.HashSet<>(book.used().values())
          .forEach(owner -> all.put(owner, book.of(owner)));
      return all;
    } finally {
      lock.unlock();
    }
  }

  /**
   * How it stands with what the node may give, a line for each block or range.
   *
   * @param pool empty for the node's own ranges
   * @param range the block or the node's range
   * @param all how many of its addresses the node may give
   * @param used how many pods have
   * @param free how many could be given now without asking anybody
   */
  public record Standing(String pool, Prefix range, long all, long used, long cooling, long free) {}

  /** How it stands. */
  public List<Standing> standing() {
    lock.lock();
    try {
      book.tidy(clock.instant());
      return switch (source) {
        case NodeRanges own ->
            own.ranges().stream()
                .map(range -> standing("", range, NodeRanges.usable(range).stream().toList()))
                .toList();
        case BlockClaims claims ->
            claims.blocks().stream()
                .map(held ->
                    standing(held.block().pool(), held.block().cidr(), HeldBlocks.ranges(held)))
                .toList();
      };
    } finally {
      lock.unlock();
    }
  }

  private Standing standing(String pool, Prefix range, List<IpRange> ranges) {
    AddressBook.Count count = book.count(ranges);
    return new Standing(
        pool,
        range,
        count.all(),
        count.used(),
        count.cooling(),
        Math.max(0, count.all() - count.used() - count.cooling() - count.reserved()));
  }

  private sealed interface Choice {
    record Found(Ip ip) implements Choice {}

    record Not(Allocation.Refused refused) implements Choice {}
  }

  private Choice fixed(AddressRequest request, Ip ip, long arrived) throws InterruptedException {
    Optional<Allocation.Refused> taken = taken(request, ip);
    if (taken.isPresent()) {
      return new Choice.Not(taken.get());
    }
    Optional<Allocation.Refused> not = source.claim(ip, request);
    if (not.isPresent()) {
      return new Choice.Not(not.get());
    }
    return switch (source.confirm(ip, arrived)) {
      case YES -> new Choice.Found(ip);
      case UNREAD -> unread(ip);
      case NO -> new Choice.Not(new Allocation.Refused(busy(request), true));
      case UNANSWERED ->
          new Choice.Not(new Allocation.Refused(unanswered(request, ip.family()), true));
    };
  }

  private Optional<Allocation.Refused> taken(AddressRequest request, Ip ip) {
    book.tidy(clock.instant());
    ObjectRef pod = new ObjectRef("Pod", request.pod().toString());
    Optional<PodKey> holder = book.pod(ip);
    if (holder.isPresent()) {
      return Optional.of(
          new Allocation.Refused(
              new Condition(
                  Reason.ADDRESS_NOT_AVAILABLE,
                  pod,
                  "ips",
                  ip + " is asked for, but pod " + holder.get() + " of this node has it.",
                  "Ask for another address, or delete the other pod first."),
              true));
    }
    AddressBook.Cooling warm = book.cooling().get(ip);
    if (warm != null && !warm.pod().equals(request.pod())) {
      return Optional.of(
          new Allocation.Refused(
              new Condition(
                  Reason.ADDRESS_NOT_AVAILABLE,
                  pod,
                  "ips",
                  ip + " is asked for, but pod " + warm.pod() + " had it a moment ago.",
                  "Nothing need be done: it may be given again at " + warm.until() + "."),
              true));
    }
    return Optional.empty();
  }

  private Choice free(AddressRequest request, Family family, long arrived)
      throws InterruptedException {
    boolean unanswered = false;
    // Each round either ends or has made the source look at something anew; a store that changes
    // under every look is left to the next request.
    for (int round = 0; round < 16; round++) {
      List<AddressSource.Portion> portions = source.portions(request, family);
      if (portions.isEmpty()) {
        return new Choice.Not(new Allocation.Refused(source.nothing(request, family), true));
      }
      Optional<Ip> found = Optional.empty();
      boolean got = false;
      unanswered = false;
      for (AddressSource.Portion portion : portions) {
        found = book.next(request.pod(), portion.ranges(), clock.instant());
        if (found.isPresent()) {
          break;
        }
        AddressSource.More more = source.more(portion);
        got = more == AddressSource.More.GOT;
        unanswered |= more == AddressSource.More.UNANSWERED;
        if (got) {
          break;
        }
      }
      if (found.isPresent()) {
        switch (source.confirm(found.get(), arrived)) {
          case YES -> {
            return new Choice.Found(found.get());
          }
          case UNREAD -> {
            return unread(found.get());
          }
          case NO -> {
            // The ranges are others now.
          }
          case UNANSWERED -> {
            return new Choice.Not(new Allocation.Refused(unanswered(request, family), true));
          }
        }
      } else if (!got) {
        break;
      }
    }
    if (unanswered) {
      return new Choice.Not(new Allocation.Refused(unanswered(request, family), true));
    }
    boolean passing =
        source.portions(request, family).stream()
            .anyMatch(portion -> book.count(portion.ranges()).cooling() > 0);
    return new Choice.Not(new Allocation.Refused(source.full(request, family), passing));
  }

  private Choice unread(Ip ip) {
    givenUnread++; // under the lock
    return new Choice.Found(ip);
  }

  private static Condition busy(AddressRequest request) {
    return new Condition(
        Reason.API_UNREACHABLE,
        new ObjectRef("Pod", request.pod().toString()),
        "",
        "No address could be claimed within " + PATIENCE.toSeconds() + " seconds.",
        "The runtime tries again by itself; if it lasts, look at the API server.");
  }

  private Condition unanswered(AddressRequest request, Family family) {
    return new Condition(
        Reason.API_UNREACHABLE,
        new ObjectRef("Pod", request.pod().toString()),
        "",
        "No "
            + family.label()
            + " address can be given before the API server has confirmed the node's claim: "
            + (source instanceof BlockClaims claims ? claims.trouble() : "no answer")
            + ".",
        "The runtime tries again by itself; look at the API server and the agent's permissions.");
  }
}
