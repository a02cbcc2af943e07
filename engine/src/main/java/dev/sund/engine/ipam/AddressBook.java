package dev.sund.engine.ipam;

import dev.sund.model.Checks;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What one node has given: which address is whose, and which still cools down. Addresses are given
 * in turn, so that one comes back as late as possible, and never before it has cooled down: other
 * nodes may still hold what they knew of the pod that had it. The pod that had it may have it back
 * at once.
 *
 * <p>Not for several threads.
 */
final class AddressBook {
  private final Duration coolDown;
  private final Map<Ip, String> used = new HashMap<>();
  private final Map<String, List<Ip>> byOwner = new TreeMap<>();
  private final Map<String, PodKey> pods = new HashMap<>();
  private final Map<Ip, Cooling> cooling = new TreeMap<>();
  private final Map<Family, Ip> last = new EnumMap<>(Family.class);
  private final Set<Ip> pledged = new HashSet<>();
  private List<Prefix> reserved = List.of();

  /**
   * An address that nobody has any more.
   *
   * @param pod who had it
   * @param until when it may be given again
   */
  record Cooling(PodKey pod, Instant until) {}

  /** How many addresses of some ranges are in which state. */
  record Count(long all, long used, long cooling, long reserved, Optional<Instant> nextFree) {}

  AddressBook(Duration coolDown) {
    this.coolDown = coolDown;
  }

  /** Addresses that are never given unless asked for by name. */
  void reserve(List<Prefix> ranges) {
    reserved = List.copyOf(ranges);
  }

  /** The addresses of an owner; none when it has none. */
  List<Ip> of(String owner) {
    return byOwner.getOrDefault(owner, List.of());
  }

  /** Who has an address. */
  Optional<String> owner(Ip ip) {
    return Optional.ofNullable(used.get(ip));
  }

  /** The pod whose address it is. */
  Optional<PodKey> pod(Ip ip) {
    return owner(ip).flatMap(owner -> Optional.ofNullable(pods.get(owner)));
  }

  /**
   * Keeps an address for somebody whose other addresses are still being looked for: meanwhile the
   * node must not give up its claim on it.
   */
  void pledge(Ip ip) {
    pledged.add(ip);
  }

  /** Ends all pledges: what came of them has been entered by {@link #put}, or nothing. */
  void endPledges() {
    pledged.clear();
  }

  /** Every address that somebody has or has been pledged. */
  Stream<Ip> needed() {
    return Stream.concat(used.keySet().stream(), pledged.stream());
  }

  /** Every address that somebody has. */
  Map<Ip, String> used() {
    return Collections.unmodifiableMap(used);
  }

  /** What cools down, as far as it was last tidied. */
  Map<Ip, Cooling> cooling() {
    return Collections.unmodifiableMap(cooling);
  }

  /** Enters addresses; they must not be another's. */
  void put(String owner, PodKey pod, List<Ip> addresses) {
    for (Ip ip : addresses) {
      String before = used.getOrDefault(ip, owner);
      Checks.that(before.equals(owner), ip + " is given to " + before + ", not to " + owner);
    }
    for (Ip ip : addresses) {
      used.put(ip, owner);
      cooling.remove(ip);
      last.put(ip.family(), ip);
    }
    byOwner.put(owner, addresses.stream().sorted().toList());
    pods.put(owner, pod);
  }

  /** Takes an owner's addresses back; they cool down from now on. */
  List<Ip> release(String owner, Instant now) {
    List<Ip> addresses = of(owner);
    byOwner.remove(owner);
    PodKey pod = pods.remove(owner);
    for (Ip ip : addresses) {
      used.remove(ip);
      if (pod != null) {
        cool(ip, pod, now);
      }
    }
    return addresses;
  }

  /** An address that was released at this time, maybe by an earlier agent. */
  void cool(Ip ip, PodKey pod, Instant released) {
    if (!used.containsKey(ip)) {
      cooling.put(ip, new Cooling(pod, released.plus(coolDown)));
    }
  }

  /** Forgets what has cooled down. */
  void tidy(Instant now) {
    // A clock that was set back must not keep addresses for longer than one cooling.
    Instant latest = now.plus(coolDown);
    cooling.values().removeIf(entry -> !entry.until.isAfter(now));
    cooling.replaceAll(
        (_, entry) -> entry.until.isAfter(latest) ? new Cooling(entry.pod, latest) : entry);
  }

  /**
   * The next free address of these ranges, in turn.
   *
   * @param pod for whom: it may have its own back before that has cooled down
   * @param ranges of one family, ascending
   */
  Optional<Ip> next(PodKey pod, List<IpRange> ranges, Instant now) {
    tidy(now);
    Optional<Ip> own =
        cooling.entrySet().stream()
            .filter(entry -> entry.getValue().pod.equals(pod))
            .map(Map.Entry::getKey)
            .filter(ip -> ranges.stream().anyMatch(range -> range.contains(ip)) && !isReserved(ip))
            .findFirst();
    if (own.isPresent() || ranges.isEmpty()) {
      return own;
    }
    Ip after = last.get(ranges.getFirst().first().family());
    if (after != null) {
      for (IpRange range : ranges) {
        if (range.last().compareTo(after) > 0) {
          Ip from = range.contains(after) ? after.plus(1) : range.first();
          Optional<Ip> found = scan(from, range.last());
          if (found.isPresent()) {
            return found;
          }
        }
      }
    }
    for (IpRange range : ranges) {
      Optional<Ip> found = scan(range.first(), range.last());
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private Optional<Ip> scan(Ip from, Ip to) {
    for (Ip ip = from; ip.compareTo(to) <= 0; ip = ip.plus(1)) {
      if (!used.containsKey(ip) && !cooling.containsKey(ip) && !isReserved(ip)) {
        return Optional.of(ip);
      }
      if (ip.equals(to)) {
        break; // the family's last address has none after it
      }
    }
    return Optional.empty();
  }

  /** Whether it could be given now. */
  boolean isFree(Ip ip) {
    return !used.containsKey(ip) && !cooling.containsKey(ip) && !isReserved(ip);
  }

  boolean isReserved(Ip ip) {
    for (Prefix range : reserved) {
      if (range.contains(ip)) {
        return true;
      }
    }
    return false;
  }

  /** How it stands with these ranges. */
  Count count(List<IpRange> ranges) {
    long all = 0;
    for (IpRange range : ranges) {
      all = all + range.size() < 0 ? Long.MAX_VALUE : all + range.size();
    }
    long given = used.keySet().stream().filter(ip -> within(ranges, ip)).count();
    List<Map.Entry<Ip, Cooling>> warm =
        cooling.entrySet().stream().filter(entry -> within(ranges, entry.getKey())).toList();
    long kept = 0;
    for (Prefix prefix : reserved) {
      for (IpRange range : ranges) {
        if (range.contains(prefix.address()) && range.contains(prefix.last())) {
          long size = new IpRange(prefix.address(), prefix.last()).size();
          kept = kept + size < 0 ? Long.MAX_VALUE : kept + size;
        }
      }
    }
    return new Count(
        all,
        given,
        warm.size(),
        kept,
        warm.stream().map(entry -> entry.getValue().until).min(Instant::compareTo));
  }

  private static boolean within(List<IpRange> ranges, Ip ip) {
    return ranges.stream().anyMatch(range -> range.contains(ip));
  }
}
