package dev.sund.engine;

import dev.sund.model.Checks;
import dev.sund.model.Family;
import dev.sund.model.Ip;
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
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
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

  /** A claimant's claims of these single addresses. */
  static List<Claim> of(Claimant claimant, List<Ip> ips) {
    List<Claim> claims = new ArrayList<>(ips.size());
    for (Ip ip : ips) {
      claims.add(new Claim(claimant, Prefix.host(ip)));
    }
    return claims;
  }

  private static final Comparator<Claim> AGE =
      Comparator.comparing(Claim::claimant).thenComparing(Claim::range);

  /** Who wants a range. */
  sealed interface Standing permits Claimant, Several {
    /** Who holds it, if anybody does. */
    Optional<Claimant> holder();

    /** All who want it, sorted. */
    List<Claimant> all();
  }

  /**
   * More than one who want a range, or one who does not hold it. Where one wants it and holds it,
   * as with nearly all of a cluster's addresses, that claimant stands for itself.
   */
  private record Several(List<Claimant> all, Optional<Claimant> holder) implements Standing {}

  /** What somebody claims; all of it for one claimant. */
  private record Made(Claimant claimant, List<Prefix> ranges) {
    List<Claim> claims() {
      return ranges.stream().map(range -> new Claim(claimant, range)).toList();
    }
  }

  private final Map<Prefix, Standing> standings = new HashMap<>();

  /** The keys of {@link #standings}. */
  private final SortedRanges ranges = new SortedRanges();

  private final Map<Owner, Made> made = new HashMap<>();
  private final Map<Claimant.Kind, Map<Family, Integer>> counts =
      new EnumMap<>(Claimant.Kind.class);
  private final Map<Family, NavigableMap<Integer, Integer>> lengths = new EnumMap<>(Family.class);

  /**
   * Makes {@code after} all that {@code owner} claims, and returns the claims whose standing this
   * may have changed, the ones before and after included. All of them are one claimant's.
   */
  Set<Claim> replace(Owner owner, List<Claim> after) {
    Made was = after.isEmpty() ? made.remove(owner) : made.put(owner, made(after));
    List<Claim> before = was == null ? List.of() : was.claims();
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

  private static Made made(List<Claim> claims) {
    Claimant claimant = claims.getFirst().claimant();
    Checks.that(
        claims.stream().allMatch(claim -> claim.claimant().equals(claimant)),
        "the claims of an owner are one claimant's");
    List<Prefix> ranges = new ArrayList<>(claims.size());
    claims.forEach(claim -> ranges.add(claim.range()));
    return new Made(claimant, List.copyOf(ranges));
  }

  /** Who holds exactly this range. */
  Optional<Claimant> holder(Prefix range) {
    Standing standing = standings.get(range);
    return standing == null ? Optional.empty() : standing.holder();
  }

  /** Whether this claimant holds this range. */
  boolean holds(Claimant claimant, Prefix range) {
    return switch (standings.get(range)) {
      case null -> false;
      case Claimant alone -> alone.equals(claimant);
      case Several several ->
          several.holder().isPresent() && several.holder().get().equals(claimant);
    };
  }

  private List<Claimant> claimants(Prefix range) {
    Standing standing = standings.get(range);
    return standing == null ? List.of() : standing.all();
  }

  /** The held claim that contains all of {@code range}, if there is one. */
  Optional<Claim> covering(Prefix range) {
    for (int length : lengthsUpTo(range)) {
      Prefix candidate = Prefix.around(range.address(), length);
      Optional<Claimant> holder = holder(candidate);
      if (holder.isPresent()) {
        return Optional.of(new Claim(holder.get(), candidate));
      }
    }
    return Optional.empty();
  }

  /** All claims, held or not, of ranges that contain all of {@code range}. */
  Collection<Claim> containing(Prefix range) {
    List<Claim> found = new ArrayList<>();
    for (int length : lengthsUpTo(range)) {
      Prefix wider = Prefix.around(range.address(), length);
      claimants(wider).forEach(claimant -> found.add(new Claim(claimant, wider)));
    }
    return found;
  }

  /** A held claim that shares addresses with {@code range}: the oldest of them. */
  Optional<Claim> rival(Prefix range) {
    return overlapping(range).stream()
        .flatMap(found -> holder(found).map(who -> new Claim(who, found)).stream())
        .min(AGE);
  }

  /** The claimed ranges inside of {@code range}, itself included. */
  Collection<Prefix> inside(Prefix range) {
    return ranges.inside(range);
  }

  /** Whether any claimant of this kind claims a range of this family. */
  boolean any(Claimant.Kind kind, Family family) {
    return counts.getOrDefault(kind, Map.of()).getOrDefault(family, 0) > 0;
  }

  /** All claimed ranges, held or not. */
  Collection<Prefix> ranges() {
    return ranges.all();
  }

  /** Whether anybody claims a range of this family. */
  boolean any(Family family) {
    NavigableMap<Integer, Integer> used = lengths.get(family);
    return used != null && !used.isEmpty();
  }

  /** The ranges that somebody holds, in order. */
  Collection<Prefix> held() {
    return ranges.all().stream().filter(range -> holder(range).isPresent()).toList();
  }

  private void add(Claim claim) {
    Prefix range = claim.range();
    Standing before = standings.get(range);
    if (before == null) {
      ranges.add(range);
      standings.put(range, claim.claimant());
    } else {
      standings.put(
          range, new Several(SortedLists.with(before.all(), claim.claimant()), before.holder()));
    }
    count(claim, 1);
    lengths
        .computeIfAbsent(claim.range().family(), _ -> new TreeMap<>())
        .merge(claim.range().length(), 1, Integer::sum);
  }

  private void remove(Claim claim) {
    Prefix range = claim.range();
    List<Claimant> before = claimants(range);
    List<Claimant> all = SortedLists.without(before, claim.claimant());
    if (all.size() < before.size()) {
      count(claim, -1);
      if (all.isEmpty()) {
        standings.remove(range);
        ranges.remove(range);
      } else {
        standings.put(range, new Several(all, holder(range).filter(all::contains)));
      }
      NavigableMap<Integer, Integer> used = lengths.get(range.family());
      if (used != null) {
        used.computeIfPresent(range.length(), (_, n) -> n == 1 ? null : n - 1);
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
    if (claimants(range).size() != 1) {
      return false;
    }
    // By order, the first of those inside.
    if (ranges.higher(range).filter(range::contains).isPresent()) {
      return false;
    }
    for (int length : lengthsUpTo(range)) {
      if (length < range.length()
          && standings.containsKey(Prefix.around(range.address(), length))) {
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
    if (claimants(changed.range()).contains(changed.claimant())) {
      byAge.add(changed);
      linked.add(changed);
    }
    byAge.sort(AGE);
    for (Claim claim : byAge) {
      if (overlapping(claim.range()).stream().allMatch(range -> holder(range).isEmpty())) {
        hold(claim);
      }
    }
  }

  private void hold(Claim claim) {
    List<Claimant> all = claimants(claim.range());
    standings.put(
        claim.range(),
        all.size() == 1 ? claim.claimant() : new Several(all, Optional.of(claim.claimant())));
  }

  private void release(Prefix range) {
    List<Claimant> all = claimants(range);
    if (!all.isEmpty()) {
      standings.put(range, new Several(all, Optional.empty()));
    }
  }

  /** All claims that are linked to {@code range} by a chain of overlaps. */
  private Set<Claim> linked(Prefix range) {
    Set<Prefix> seen = new HashSet<>();
    Deque<Prefix> open = new ArrayDeque<>(overlapping(range));
    Set<Claim> found = new HashSet<>();
    while (!open.isEmpty()) {
      Prefix next = open.pop();
      if (seen.add(next)) {
        claimants(next).forEach(claimant -> found.add(new Claim(claimant, next)));
        for (Prefix neighbour : overlapping(next)) {
          if (!seen.contains(neighbour)) {
            open.push(neighbour);
          }
        }
      }
    }
    return found;
  }

  /** The claimed ranges that share addresses with {@code range}. */
  private Set<Prefix> overlapping(Prefix range) {
    Set<Prefix> found = new HashSet<>(ranges.inside(range));
    for (int length : lengthsUpTo(range)) {
      Prefix wider = Prefix.around(range.address(), length);
      if (standings.containsKey(wider)) {
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
