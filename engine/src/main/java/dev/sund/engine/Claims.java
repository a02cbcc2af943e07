package dev.sund.engine;

import dev.sund.model.Family;
import dev.sund.model.Prefix;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Who holds which range of addresses, when several want ranges that overlap: in the order of {@link
 * Claimant}, each claim holds unless one that holds already overlaps it. The answer depends on the
 * claims alone, never on the order in which they were made.
 *
 * <p>A change looks only at the claims that are linked to it by overlaps; where nothing overlaps
 * that is itself alone.
 */
final class Claims {
  /** Whose claims: a node's, a pod's, a pool's or a device's. */
  record Owner(Claimant.Kind kind, String name) {
    /** Written out, as all that rows are looked up by: see {@link Prefix#equals}. */
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Owner owner && kind == owner.kind && name.equals(owner.name);
    }

    @Override
    public int hashCode() {
      return 31 * name.hashCode() + kind.ordinal();
    }
  }

  /** A claim of a range. */
  record Claim(Claimant claimant, Prefix range) {
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Claim claim
          && range.equals(claim.range)
          && claimant.equals(claim.claimant);
    }

    @Override
    public int hashCode() {
      return 31 * range.hashCode() + claimant.hashCode();
    }
  }

  private static final Comparator<Claim> AGE =
      Comparator.comparing(Claim::claimant).thenComparing(Claim::range);

  private final NavigableMap<Prefix, NavigableSet<Claimant>> claims = new TreeMap<>();
  private final NavigableMap<Prefix, Claimant> holders = new TreeMap<>();

  /** The same as {@link #holders}, for the question that every row asks. */
  private final Map<Prefix, Claimant> holderOf = new HashMap<>();

  private final Map<Owner, List<Claim>> made = new HashMap<>();
  private final Map<Claimant.Kind, Map<Family, Integer>> counts =
      new EnumMap<>(Claimant.Kind.class);
  private final Map<Family, NavigableMap<Integer, Integer>> lengths = new EnumMap<>(Family.class);

  /**
   * Makes {@code after} all that {@code owner} claims, and returns the claims whose standing this
   * may have changed, the ones before and after included.
   */
  Set<Claim> replace(Owner owner, List<Claim> after) {
    List<Claim> before =
        Objects.requireNonNullElse(
            after.isEmpty() ? made.remove(owner) : made.put(owner, after), List.of());
    Set<Claim> touched = new HashSet<>();
    for (Claim claim : before) {
      if (!after.contains(claim)) {
        touched.add(claim);
        if (isAlone(claim.range())) {
          remove(claim);
          release(claim.range());
          continue;
        }
        Set<Claim> linked = linked(claim.range());
        remove(claim);
        settle(linked, claim);
        touched.addAll(linked);
      }
    }
    for (Claim claim : after) {
      if (!before.contains(claim)) {
        add(claim);
        if (isAlone(claim.range())) {
          hold(claim);
          touched.add(claim);
          continue;
        }
        Set<Claim> linked = linked(claim.range());
        settle(linked, claim);
        touched.addAll(linked);
      }
    }
    return touched;
  }

  /** Who holds exactly this range. */
  Optional<Claimant> holder(Prefix range) {
    return Optional.ofNullable(holderOf.get(range));
  }

  /** Whether this claimant holds this range. */
  boolean holds(Claimant claimant, Prefix range) {
    return claimant.equals(holderOf.get(range));
  }

  /** The held claim that contains all of {@code range}, if there is one. */
  Optional<Claim> covering(Prefix range) {
    for (int length : lengthsUpTo(range)) {
      Prefix candidate = Prefix.around(range.address(), length);
      Claimant holder = holderOf.get(candidate);
      if (holder != null) {
        return Optional.of(new Claim(holder, candidate));
      }
    }
    return Optional.empty();
  }

  /** All claims, held or not, of ranges that contain all of {@code range}. */
  Collection<Claim> containing(Prefix range) {
    List<Claim> found = new ArrayList<>();
    for (int length : lengthsUpTo(range)) {
      Prefix wider = Prefix.around(range.address(), length);
      NavigableSet<Claimant> who = claims.get(wider);
      if (who != null) {
        who.forEach(claimant -> found.add(new Claim(claimant, wider)));
      }
    }
    return found;
  }

  /** A held claim that shares addresses with {@code range}: the oldest of them. */
  Optional<Claim> rival(Prefix range) {
    return overlapping(holders, range).stream()
        .flatMap(found -> holder(found).map(who -> new Claim(who, found)).stream())
        .min(AGE);
  }

  /** The claimed ranges inside of {@code range}, itself included. */
  Collection<Prefix> inside(Prefix range) {
    return claims.subMap(range, true, Prefix.host(range.last()), true).keySet();
  }

  /** Whether any claimant of this kind claims a range of this family. */
  boolean any(Claimant.Kind kind, Family family) {
    return counts.getOrDefault(kind, Map.of()).getOrDefault(family, 0) > 0;
  }

  /** All claimed ranges, held or not. */
  Collection<Prefix> ranges() {
    return claims.keySet();
  }

  /** Whether anybody claims a range of this family. */
  boolean any(Family family) {
    NavigableMap<Integer, Integer> used = lengths.get(family);
    return used != null && !used.isEmpty();
  }

  /** All claims that hold. */
  NavigableMap<Prefix, Claimant> held() {
    return holders;
  }

  private void add(Claim claim) {
    claims.computeIfAbsent(claim.range(), _ -> new TreeSet<>()).add(claim.claimant());
    count(claim, 1);
    lengths
        .computeIfAbsent(claim.range().family(), _ -> new TreeMap<>())
        .merge(claim.range().length(), 1, Integer::sum);
  }

  private void remove(Claim claim) {
    NavigableSet<Claimant> who = claims.get(claim.range());
    if (who != null && who.remove(claim.claimant())) {
      count(claim, -1);
      if (who.isEmpty()) {
        claims.remove(claim.range());
      }
      NavigableMap<Integer, Integer> used = lengths.get(claim.range().family());
      if (used != null) {
        used.computeIfPresent(claim.range().length(), (_, n) -> n == 1 ? null : n - 1);
      }
    }
  }

  private void count(Claim claim, int step) {
    counts
        .computeIfAbsent(claim.claimant().kind(), _ -> new EnumMap<>(Family.class))
        .merge(claim.range().family(), step, Integer::sum);
  }

  /** Whether a range has one claim, and shares no address with any other: the usual case. */
  private boolean isAlone(Prefix range) {
    NavigableSet<Claimant> who = claims.get(range);
    if (who == null || who.size() != 1) {
      return false;
    }
    Prefix next = claims.higherKey(range); // by order, the first of those inside
    if (next != null && range.contains(next)) {
      return false;
    }
    for (int length : lengthsUpTo(range)) {
      if (length < range.length() && claims.containsKey(Prefix.around(range.address(), length))) {
        return false;
      }
    }
    return true;
  }

  /** Decides anew among {@code linked}; {@code changed} is the claim that came or went. */
  private void settle(Set<Claim> linked, Claim changed) {
    linked.remove(changed);
    release(changed.range());
    linked.forEach(claim -> release(claim.range()));
    List<Claim> byAge = new ArrayList<>(linked);
    if (claims.getOrDefault(changed.range(), new TreeSet<>()).contains(changed.claimant())) {
      byAge.add(changed);
      linked.add(changed);
    }
    byAge.sort(AGE);
    for (Claim claim : byAge) {
      if (overlapping(holders, claim.range()).isEmpty()) {
        hold(claim);
      }
    }
  }

  private void hold(Claim claim) {
    holders.put(claim.range(), claim.claimant());
    holderOf.put(claim.range(), claim.claimant());
  }

  private void release(Prefix range) {
    holders.remove(range);
    holderOf.remove(range);
  }

  /** All claims that are linked to {@code range} by a chain of overlaps. */
  private Set<Claim> linked(Prefix range) {
    Set<Prefix> seen = new HashSet<>();
    Deque<Prefix> open = new ArrayDeque<>(overlapping(claims, range));
    Set<Claim> found = new HashSet<>();
    while (!open.isEmpty()) {
      Prefix next = open.pop();
      if (seen.add(next)) {
        claims
            .getOrDefault(next, new TreeSet<>())
            .forEach(claimant -> found.add(new Claim(claimant, next)));
        for (Prefix neighbour : overlapping(claims, next)) {
          if (!seen.contains(neighbour)) {
            open.push(neighbour);
          }
        }
      }
    }
    return found;
  }

  private Set<Prefix> overlapping(NavigableMap<Prefix, ?> among, Prefix range) {
    Set<Prefix> found =
        new HashSet<>(among.subMap(range, true, Prefix.host(range.last()), true).keySet());
    for (int length : lengthsUpTo(range)) {
      Prefix wider = Prefix.around(range.address(), length);
      if (among.containsKey(wider)) {
        found.add(wider);
      }
    }
    return found;
  }

  /** The lengths that claims of this family have, up to that of {@code range}. */
  private Collection<Integer> lengthsUpTo(Prefix range) {
    NavigableMap<Integer, Integer> used = lengths.get(range.family());
    return used == null ? List.of() : used.headMap(range.length(), true).keySet();
  }
}
