package dev.sund.lab.api;

import static dev.sund.lab.api.Objects.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiRefusal;
import dev.sund.kube.api.ApiServer;
import dev.sund.kube.api.Dialer;
import dev.sund.kube.lease.ClusterLease;
import dev.sund.kube.tree.Tree;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Who holds a Lease, with the shipped manifest and rights, over HTTP. Time is the test's: a holder
 * that is killed is one that is asked no more.
 */
class ClusterLeaseTest {
  private static final long SEED = Long.getLong("sund.seed", System.nanoTime());
  private static final String NAME = "sund-policy-status";

  private final WatchScene scene = new WatchScene();
  private final List<ApiObjects> opened = new ArrayList<>();
  private final AtomicLong seconds = new AtomicLong();
  private final Random random = new Random(SEED);

  @BeforeEach
  void deploy() throws IOException {
    Path deploy = Path.of(System.getProperty("sund.root"), "deploy");
    scene.api.apply(deploy.resolve("lease.yaml"));
    scene.api.allow(Rbac.read(deploy.resolve("rbac.yaml")));
    scene.api.token("agent", Subject.serviceAccount("kube-system", "sund-agent"));
  }

  @AfterEach
  void close() {
    opened.forEach(ApiObjects::close);
    scene.close();
  }

  private ClusterLease candidate(String name) {
    ApiObjects objects =
        new ApiObjects(
            ApiServer.plain("127.0.0.1", scene.port(), "agent"),
            Dialer.HERE,
            Duration.ofSeconds(30));
    opened.add(objects);
    return new ClusterLease(
        objects,
        NAME,
        name,
        ClusterLease.Rules.DEFAULT,
        () -> Instant.ofEpochSecond(1_800_000_000 + seconds.get()),
        () -> Duration.ofSeconds(seconds.get()).toNanos(),
        new Random(random.nextLong()));
  }

  /** Second after second, at most one of these holds it; how many seconds until the first does. */
  private int until(ClusterLease wanted, List<ClusterLease> asked) throws IOException {
    for (int waited = 0; waited < 120; waited++) {
      pass(asked);
      if (wanted.isHeld()) {
        return waited;
      }
      seconds.incrementAndGet();
    }
    throw new AssertionError("nobody has taken it, seed " + SEED);
  }

  private void pass(List<ClusterLease> asked) throws IOException {
    int holders = 0;
    for (ClusterLease one : asked) {
      holders += one.isHeld() ? 1 : 0;
    }
    assertThat(holders).as("holders, seed %d", SEED).isLessThanOrEqualTo(1);
  }

  private Tree.Mapping spec() {
    return Json.child(scene.api.get(Resource.LEASES, "kube-system/" + NAME).orElseThrow(), "spec");
  }

  @Test
  void whoComesFirstHoldsItAndRenewsIt() throws Exception {
    ClusterLease one = candidate("n1");
    ClusterLease two = candidate("n2");
    until(one, List.of(one));
    assertThat(spec().text("holderIdentity")).contains("n1");
    assertThat(spec().text("leaseTransitions")).contains("1");
    assertThat(spec().text("acquireTime").orElseThrow()).matches(".*\\.\\d{6}Z");
    for (int i = 0; i < 200; i++) {
      assertThat(one.isHeld()).as("seed %d", SEED).isTrue();
      assertThat(two.isHeld()).as("seed %d", SEED).isFalse();
      seconds.incrementAndGet();
    }
    assertThat(spec().text("leaseTransitions")).contains("1");
    assertThat(scene.api.requestsOf("update", Resource.LEASES))
        .as("it is renewed each 8 s")
        .isBetween(25L, 27L);
    assertThat(scene.api.requestsOf("get", Resource.LEASES))
        .as("who waits asks when it could be free")
        .isBetween(5L, 9L);
  }

  @Test
  void ofManyAtOnceOneGetsIt() throws Exception {
    List<ClusterLease> all = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      all.add(candidate("n" + i));
    }
    pass(all);
    seconds.addAndGet(5); // now all of them are due
    AtomicInteger holders = new AtomicInteger();
    try (ExecutorService racing = Executors.newFixedThreadPool(all.size())) {
      List<Future<?>> done = new ArrayList<>();
      for (ClusterLease one : all) {
        Callable<Integer> race = () -> holders.addAndGet(one.isHeld() ? 1 : 0);
        done.add(racing.submit(race));
      }
      for (Future<?> one : done) {
        one.get();
      }
    }
    assertThat(holders).hasValue(1);
    assertThat(spec().text("leaseTransitions")).contains("1");
  }

  @Test
  void whenTheHolderIsKilledAnotherTakesItAndNotSooner() throws Exception {
    ClusterLease killed = candidate("n1");
    ClusterLease two = candidate("n2");
    ClusterLease three = candidate("n3");
    until(killed, List.of(killed));
    for (int i = 0; i < 20; i++) {
      pass(List.of(killed, two, three));
      seconds.incrementAndGet();
    }
    long renewed = Instant.parse(spec().text("renewTime").orElseThrow()).getEpochSecond();
    boolean taken = false;
    while (!taken) {
      taken = two.isHeld() | three.isHeld();
      if (!taken) {
        seconds.incrementAndGet();
      }
      assertThat(seconds.get()).as("seed %d", SEED).isLessThan(120);
    }
    assertThat(1_800_000_000 + seconds.get() - renewed).isBetween(30L, 75L);
    assertThat(spec().text("holderIdentity").orElseThrow()).isIn("n2", "n3");
    assertThat(spec().text("leaseTransitions")).contains("2");
  }

  @Test
  void whoIsStartedAnewGoesOnAtOnce() throws Exception {
    ClusterLease before = candidate("n1");
    until(before, List.of(before));
    ClusterLease after = candidate("n1");
    assertThat(until(after, List.of())).isLessThanOrEqualTo(3);
    assertThat(spec().text("leaseTransitions")).contains("1");
  }

  @Test
  void whoCannotRenewHoldsItNoMoreBeforeOthersMayTakeIt() throws Exception {
    ClusterLease one = candidate("n1");
    until(one, List.of(one));
    scene.api.faults().unavailable(1000);
    int held = 0;
    boolean lost = false;
    while (!lost) {
      seconds.incrementAndGet();
      try {
        lost = !one.isHeld();
      } catch (IOException _) {
        lost = true;
      }
      held += lost ? 0 : 1;
    }
    assertThat(held).isLessThan(20);
  }

  @Test
  void whoseLeaseIsTakenByAnotherHoldsItNoMore() throws Exception {
    ClusterLease one = candidate("n1");
    until(one, List.of(one));
    scene.api.update(
        Resource.LEASES,
        "kube-system/" + NAME,
        lease -> lease.with("spec", json("{'holderIdentity':'people','leaseDurationSeconds':15}")));
    seconds.addAndGet(8);
    assertThat(one.isHeld()).isFalse();
    assertThat(spec().text("holderIdentity")).contains("people");
    assertThat(until(one, List.of(one))).as("for as long as that says").isBetween(15, 25);
  }

  @Test
  void withoutTheLeaseOrTheRightItIsARefusal() throws Exception {
    scene.api.delete(Resource.LEASES, "kube-system/" + NAME);
    ClusterLease none = candidate("n1");
    none.isHeld();
    seconds.addAndGet(3);
    assertThatThrownBy(none::isHeld)
        .isInstanceOfSatisfying(
            ApiRefusal.class, refusal -> assertThat(refusal.isNotFound()).isTrue());
    assertThat(none.isHeld()).as("and is not asked again at once").isFalse();
    scene.api.allow(Rbac.parse("kind: None"));
    ClusterLease forbidden = candidate("n2");
    forbidden.isHeld();
    seconds.addAndGet(3);
    assertThatThrownBy(forbidden::isHeld)
        .isInstanceOfSatisfying(
            ApiRefusal.class, refusal -> assertThat(refusal.isForbidden()).isTrue());
  }
}
