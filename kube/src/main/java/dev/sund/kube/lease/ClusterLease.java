package dev.sund.kube.lease;

import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiPath;
import dev.sund.kube.api.ApiRefusal;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Checks;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * A Lease that at most one of many holds, as long as their clocks run about equally fast.
 *
 * <p>The holder renews it. Others take it when it has not changed for as long as it says ({@code
 * leaseDurationSeconds}) by their own clock since they first saw it so: what time it says is never
 * compared with their own. All writes name the version that was read, so of several who take it at
 * once one gets it. A holder that cannot renew in time holds it no more, before others may take it.
 * Who held it before it was started anew goes on at once, and nobody gives it back: agents mostly
 * end to be started again.
 *
 * <p>One who does not hold it asks only when it could be free, so many may wait for one Lease.
 *
 * <p>For one thread.
 *
 * @see <a href="https://kubernetes.io/docs/concepts/architecture/leases/">Leases</a>
 */
public final class ClusterLease {
  /** Where leases of the cluster's own programs are. */
  public static final ApiPath PATH =
      ApiPath.of("coordination.k8s.io/v1", "leases").in("kube-system");

  /** As MicroTime is written: exactly six digits behind the point. */
  private static final DateTimeFormatter MICROS =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);

  private static final Tree.Mapping NOTHING = Tree.Mapping.of(Map.of());

  private final ApiObjects objects;
  private final String name;
  private final String holder;
  private final Rules rules;
  private final InstantSource clock;
  private final LongSupplier nanos;
  private final RandomGenerator random;

  /** The Lease as it was last seen, and since when it has been so; empty before the first look. */
  private Tree.Mapping seen = NOTHING;

  private long seenAt;
  private Optional<Long> renewedAt = Optional.empty();
  private Optional<Long> nextLook = Optional.empty();

  /**
   * How long things last; each shorter than the one before, and a spread of a fifth is added to
   * some so that many do not come at once.
   *
   * @param lease for how long nobody else may take it after the last renewal
   * @param deadline for how long a holder trusts its last renewal
   * @param retry between renewals
   */
  public record Rules(Duration lease, Duration deadline, Duration retry) {
    /** Twice as long as Kubernetes' own programs: thousands may wait for it. */
    public static final Rules DEFAULT =
        new Rules(Duration.ofSeconds(30), Duration.ofSeconds(20), Duration.ofSeconds(8));

    public Rules {
      Checks.that(lease.compareTo(deadline) > 0, "a lease outlasts its deadline");
      Checks.that(deadline.compareTo(retry) > 0, "a deadline leaves time to retry");
    }
  }

  /**
   * One that is not held.
   *
   * @param objects not closed with this
   * @param name of the Lease, which must be there: nothing is created
   * @param holder who would hold it; nobody else may be called so
   * @param clock for the times that the Lease shows to people
   * @param nanos by which time passes, as {@link System#nanoTime}
   * @param random spreads the looks of many
   */
  public ClusterLease(
      ApiObjects objects,
      String name,
      String holder,
      Rules rules,
      InstantSource clock,
      LongSupplier nanos,
      RandomGenerator random) {
    this.objects = objects;
    this.name = name;
    this.holder = holder;
    this.rules = rules;
    this.clock = clock;
    this.nanos = nanos;
    this.random = random;
  }

  /**
   * Whether this holds it. Asks the API server when it is time to, and mostly does not.
   *
   * @throws ApiRefusal when the server refuses, such as {@link ApiRefusal#isNotFound} without the
   *     Lease
   * @throws IOException when it does not answer; while the last renewal is trusted that is no error
   */
  public boolean isHeld() throws IOException {
    long now = nanos.getAsLong();
    if (nextLook.isEmpty()) {
      nextLook = Optional.of(now + spread(rules.retry)); // all begin with the first policy
    }
    if (now - nextLook.get() >= 0) {
      try {
        look(now);
      } catch (IOException e) {
        boolean never = e instanceof ApiRefusal no && (no.isForbidden() || no.isNotFound());
        nextLook = Optional.of(now + (never ? rules.lease.toNanos() : rules.retry.toNanos() / 4));
        if (never || !isTrusted()) {
          renewedAt = Optional.empty();
          throw e;
        }
      }
    }
    return isTrusted();
  }

  private boolean isTrusted() {
    return renewedAt.filter(at -> nanos.getAsLong() - at < rules.deadline.toNanos()).isPresent();
  }

  private void look(long now) throws IOException {
    if (isTrusted() && written(now, seen)) {
      return; // nobody else has written meanwhile, so it need not be read
    }
    renewedAt = Optional.empty();
    Tree.Mapping lease =
        objects
            .read(PATH.named(name))
            .orElseThrow(() -> new ApiRefusal(404, "NotFound", "there is no lease " + name));
    if (!spec(lease).equals(spec(seen))) {
      seenAt = now;
    }
    seen = lease;
    long free = seenAt + duration(lease).toNanos();
    String by = spec(lease).text("holderIdentity").orElse("");
    if (!by.isEmpty() && !by.equals(holder) && now - free < 0) {
      nextLook = Optional.of(free + spread(rules.lease));
    } else if (!written(now, lease)) {
      nextLook = Optional.of(now + rules.retry.toNanos() + spread(rules.lease));
    }
  }

  /** Writes that this holds it; whether that is so, and nobody was faster. */
  private boolean written(long now, Tree.Mapping before) throws IOException {
    try {
      seen = objects.replace(PATH.named(name), held(before));
      seenAt = now;
      renewedAt = Optional.of(now); // as of before it was asked: others count from later on
      nextLook = Optional.of(now + rules.retry.toNanos());
      return true;
    } catch (ApiRefusal e) {
      if (!e.isConflict()) {
        throw e;
      }
      return false;
    }
  }

  private Tree.Mapping held(Tree.Mapping before) {
    Tree.Mapping old = spec(before);
    boolean mine = old.text("holderIdentity").orElse("").equals(holder);
    Instant now = clock.instant();
    Map<String, Tree> spec = new LinkedHashMap<>(old.fields());
    spec.put("holderIdentity", Tree.Scalar.text(holder));
    spec.put("leaseDurationSeconds", Tree.Scalar.plain(Math.max(1, rules.lease.toSeconds())));
    spec.put("renewTime", Tree.Scalar.text(MICROS.format(now)));
    if (!mine || old.text("acquireTime").isEmpty()) {
      spec.put("acquireTime", Tree.Scalar.text(MICROS.format(now)));
    }
    if (!mine) {
      spec.put("leaseTransitions", Tree.Scalar.plain(number(old, "leaseTransitions") + 1));
    }
    return before.with("spec", Tree.Mapping.of(spec));
  }

  private static Tree.Mapping spec(Tree.Mapping lease) {
    return lease.mapping("spec").orElse(NOTHING);
  }

  private Duration duration(Tree.Mapping lease) {
    long seconds = number(spec(lease), "leaseDurationSeconds");
    return seconds > 0 ? Duration.ofSeconds(seconds) : rules.lease;
  }

  private static long number(Tree.Mapping spec, String field) {
    return spec.text(field)
        .filter(text -> text.matches("[0-9]{1,9}"))
        .map(Long::valueOf)
        .orElse(0L);
  }

  private long spread(Duration of) {
    return random.nextLong(of.toNanos() / 5 + 1);
  }
}
