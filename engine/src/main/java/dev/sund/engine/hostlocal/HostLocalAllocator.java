package dev.sund.engine.hostlocal;

import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Gives addresses of ranges to interfaces, one of each set. Remembers nothing itself; may be used
 * by the thread that has the store.
 */
public final class HostLocalAllocator {
  private final String network;
  private final List<RangeSet> sets;

  /**
   * An allocator.
   *
   * @param network the network's name, for messages
   * @param sets at least one
   */
  public HostLocalAllocator(String network, List<RangeSet> sets) {
    RangeSet.checkApart(sets);
    this.network = network;
    this.sets = List.copyOf(sets);
  }

  /**
   * Gives an address of each set, all or none.
   *
   * @param wanted addresses to be given: at most one a set, each in a set
   * @throws NoAddressException when one cannot be given
   * @throws AddressStoreException when the store fails; what was taken is given back as far as it
   *     can be
   */
  public List<GivenAddress> allocate(AddressStore store, AddressOwner owner, List<Ip> wanted)
      throws NoAddressException, AddressStoreException {
    List<GivenAddress> given = new ArrayList<>();
    boolean complete = false;
    // What the interface holds already is not ours to give back when this call fails.
    List<Ip> before = store.of(owner);
    try {
      Set<Ip> open = new LinkedHashSet<>(wanted);
      for (int i = 0; i < sets.size(); i++) {
        RangeSet set = sets.get(i);
        Optional<Ip> asked = open.stream().filter(ip -> set.rangeOf(ip).isPresent()).findFirst();
        if (asked.isPresent()) {
          open.remove(asked.get());
          given.add(ask(store, owner, i, asked.get()));
        } else {
          given.add(next(store, owner, i, before));
        }
      }
      if (!open.isEmpty()) {
        throw new NoAddressException(
            "Network "
                + network
                + " cannot give "
                + String.join(", ", open.stream().map(Ip::toString).toList())
                + ": each set of ranges gives one address, of its own ("
                + String.join("; ", sets.stream().map(RangeSet::toString).toList())
                + ").",
            "Ask for addresses inside the ranges, at most one of each set.");
      }
      complete = true;
      return given;
    } finally {
      if (!complete && before.isEmpty() && !given.isEmpty()) {
        store.release(owner);
      }
    }
  }

  private GivenAddress ask(AddressStore store, AddressOwner owner, int number, Ip ip)
      throws NoAddressException, AddressStoreException {
    AddressRange range = sets.get(number).rangeOf(ip).orElseThrow();
    if (ip.equals(range.gateway())) {
      throw new NoAddressException(
          "Address " + ip + " is the gateway of subnet " + range.subnet() + ".",
          "Ask for another address.");
    }
    if (!store.take(ip, owner, number)) {
      throw new NoAddressException(
          "Address " + ip + " of network " + network + " is taken.",
          "Ask for another address, or remove the container that has it.");
    }
    return given(range, ip);
  }

  private GivenAddress next(AddressStore store, AddressOwner owner, int number, List<Ip> before)
      throws NoAddressException, AddressStoreException {
    RangeSet set = sets.get(number);
    Optional<Ip> held = before.stream().filter(ip -> set.rangeOf(ip).isPresent()).findFirst();
    if (held.isPresent()) {
      throw new NoAddressException(
          "Interface "
              + owner
              + " has address "
              + held.get()
              + " of network "
              + network
              + " already.",
          "Delete the container's network (CNI DEL) before it is added again.");
    }
    int taken = 0;
    Turn turn = new Turn(set, store.lastTaken(number));
    for (Optional<Ip> ip = turn.next(); ip.isPresent(); ip = turn.next()) {
      if (!store.isTaken(ip.get()) && store.take(ip.get(), owner, number)) {
        return given(turn.range(), ip.get());
      }
      taken++;
    }
    throw new NoAddressException(
        "Network " + network + " has no free address in " + set + ": all " + taken + " are taken.",
        "Remove containers, have the runtime collect what was left behind (CNI GC), or give the"
            + " network more ranges.");
  }

  private static GivenAddress given(AddressRange range, Ip ip) {
    return new GivenAddress(new InterfaceAddress(ip, range.subnet().length()), range.gateway());
  }

  /** Walks once through a set, from behind the address that was given last; gateways left out. */
  private static final class Turn {
    private final List<AddressRange> ranges;
    private final Ip stop;
    private int range;
    private Ip at;
    private boolean begun;

    Turn(RangeSet set, Optional<Ip> last) {
      this.ranges = set.ranges();
      this.at = ranges.getFirst().first();
      for (int i = 0; last.isPresent() && i < ranges.size(); i++) {
        if (ranges.get(i).contains(last.get())) {
          range = i;
          boolean atEnd = last.get().equals(ranges.get(i).last());
          range = atEnd ? (i + 1) % ranges.size() : i;
          at = atEnd ? ranges.get(range).first() : last.get().plus(1);
          break;
        }
      }
      this.stop = at;
    }

    AddressRange range() {
      return ranges.get(range);
    }

    /** The next address; empty when all have been tried. */
    Optional<Ip> next() {
      do {
        if (begun) {
          advance();
          if (at.equals(stop)) {
            return Optional.empty();
          }
        }
        begun = true;
      } while (at.equals(range().gateway()));
      return Optional.of(at);
    }

    private void advance() {
      if (at.equals(range().last())) {
        range = (range + 1) % ranges.size();
        at = range().first();
      } else {
        at = at.plus(1);
      }
    }
  }
}
