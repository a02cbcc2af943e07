package dev.sund.agent.apply;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.AgentMetrics;
import dev.sund.agent.log.LogLevel;
import dev.sund.agent.log.LogSink;
import dev.sund.engine.PodDevices;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.Route;
import dev.sund.engine.program.Serving;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The data plane's thread in simulated time: nothing here waits. */
class ApplyCycleTest {
  private static final Attachment WEB =
      new Attachment(
          "c1",
          "eth0",
          "/run/netns/web",
          new PodKey("shop", "web"),
          "u1",
          List.of(Ip.parse("10.1.0.5")));

  private final FakeKernelSide kernel = new FakeKernelSide();
  private final Tickets tickets = new Tickets();
  private final AgentMetrics metrics = new AgentMetrics();
  private final List<String> lines = new ArrayList<>();
  private long now = 1_000_000_000_000L;
  private long batch;
  private ApplyState state = ApplyState.FIRST;
  private ApplyCycle cycle;

  @BeforeEach
  void begin() {
    LogSink sink = new LogSink(lines::add, InstantSource.system(), () -> now, "", LogLevel.DEBUG);
    cycle =
        new ApplyCycle(
            kernel,
            tickets,
            Timing.DEFAULT,
            () -> now,
            metrics,
            sink.log("apply"),
            seen -> state = seen);
  }

  @Test
  void theKernelIsReadAtOnceAndChangedOnlyWhenTheProgramIsComplete() {
    kernel.kernelRoutes.put(prefix(9), route(9));
    cycle.step();
    take(put(1), Optional.of("not synced"));
    runFor(Duration.ofSeconds(30));
    assertThat(kernel.calls).containsOnly("resync [pods, routes]");
    assertThat(state.settledOnce()).isFalse();
    take(ProgramDelta.NONE, Optional.empty());
    cycle.step();
    assertThat(kernel.kernelRoutes).containsOnlyKeys(prefix(1));
    assertThat(state.settledOnce()).isTrue();
    assertThat(state.applied()).isEqualTo(2);
  }

  @Test
  void whatFollowsFromTheNodeAloneIsInForceBeforeTheProgramIsComplete() throws Exception {
    cycle.step();
    String key = ApplyLoop.ticket(new ClusterEvent.NetworkGone("net1"));
    var ticket = tickets.open(key);
    Masquerade bridged =
        new Masquerade(prefix(7), Masquerade.Part.BRIDGED, RuleId.of("Network", "net1", ""));
    ProgramDelta delta =
        new ProgramDelta(
            List.of(),
            List.of(new Change.Put<>(prefix(1), route(1), Optional.empty())),
            List.of(),
            List.of(),
            List.of(new Change.Put<>(bridged.key(), bridged, Optional.empty())));
    cycle.take(
        new Handover(
            ++batch,
            delta,
            List.of(),
            Optional.of("no list"),
            List.of(),
            List.of(),
            List.of(),
            Optional.empty(),
            List.of(key)));
    runFor(Duration.ofSeconds(1));
    assertThat(tickets.await(key, ticket, Duration.ZERO)).isInstanceOf(AttachOutcome.Done.class);
    assertThat(kernel.wantedMasquerade).containsExactly(bridged.key());
    assertThat(kernel.kernelRoutes).isEmpty();
    assertThat(state.settledOnce()).isFalse();
    assertThat(kernel.sweep).isFalse();
    take(ProgramDelta.NONE, Optional.empty());
    cycle.step();
    assertThat(kernel.kernelRoutes).containsOnlyKeys(prefix(1));
  }

  @Test
  void whoServesIsToldWithTheRulesAndNotBefore() {
    cycle.step();
    Serving first = serving("10.1.0.8");
    Serving second = serving("10.1.0.9");
    for (Serving serving : List.of(first, second)) {
      cycle.take(
          new Handover(
              ++batch,
              ProgramDelta.NONE,
              List.of(),
              Optional.of("no list"),
              List.of(),
              List.of(),
              List.of(serving),
              Optional.empty(),
              List.of()));
    }
    cycle.step();
    assertThat(kernel.serving).isEmpty();

    take(ProgramDelta.NONE, Optional.empty());
    cycle.step();

    assertThat(kernel.serving).containsExactly(second);
  }

  private static Serving serving(String address) {
    return Serving.of(
        new Frontend.Key(new Frontend.Place.AnyLocal(Family.V4), Protocol.UDP, 53),
        List.of(new Serving.At(Ip.parse(address), 53)));
  }

  @Test
  void ofWhatIsHeldTheLastWordsCount() throws Exception {
    cycle.step();
    take(put(1), Optional.of("no list"));
    take(put(2), Optional.of("no list"));
    take(delta(List.of(new Change.Remove<>(prefix(1), route(1)))), Optional.of("no list"));
    take(ProgramDelta.NONE, Optional.empty());
    cycle.step();
    assertThat(kernel.kernelRoutes).containsOnlyKeys(prefix(2));
  }

  @Test
  void whatIsRightAlreadyIsNotTouched() {
    kernel.kernelRoutes.put(prefix(1), route(1));
    cycle.step();
    take(put(1), Optional.empty());
    runFor(Duration.ofSeconds(1));
    assertThat(metrics.driftRepaired.labelValues("routes").get()).isZero();
    assertThat(metrics.changes.labelValues("routes", "done").get()).isZero();
    assertThat(state.settledOnce()).isTrue();
  }

  @Test
  void bulkWorkIsCutIntoSlicesBetweenWhichNewsIsTaken() {
    ready();
    List<Change<Prefix, Route>> many = new ArrayList<>();
    for (int i = 0; i < 1_200; i++) {
      many.add(new Change.Put<>(prefix(i), route(i), Optional.empty()));
    }
    take(delta(many), Optional.empty());
    cycle.step();
    assertThat(kernel.kernelRoutes).hasSize(512);
    take(put(1_300), Optional.empty());
    assertThat(cycle.step()).isLessThanOrEqualTo(now);
    assertThat(kernel.kernelRoutes).hasSize(1_024);
    assertThat(state.pending()).isEqualTo(177);
    cycle.step();
    assertThat(state.pending()).isZero();
    take(put(1_400), Optional.empty());
    assertThat(cycle.step()).as("a new burst waits, so that it is written once").isGreaterThan(now);
  }

  @Test
  void aSliceThatTookLongMakesTheNextSmaller() {
    ready();
    kernel.work = () -> now += Timing.DEFAULT.pace().toNanos() + 1;
    List<Change<Prefix, Route>> many = new ArrayList<>();
    for (int i = 0; i < 1_200; i++) {
      many.add(new Change.Put<>(prefix(i), route(i), Optional.empty()));
    }
    take(delta(many), Optional.empty());
    cycle.step();
    cycle.step();
    assertThat(kernel.kernelRoutes).hasSize(512 + 256);
    kernel.work = () -> {};
    cycle.step();
    assertThat(kernel.kernelRoutes).hasSize(512 + 256 + 128);
    cycle.step();
    assertThat(kernel.kernelRoutes).as("and larger again").hasSize(512 + 256 + 128 + 256);
  }

  @Test
  void theLinksOfAllPodsThatWaitAreMadeBeforeTheirRoutes() {
    ready();
    List<Change<String, LocalPod>> pods = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      pods.add(new Change.Put<>("sund-" + i, pod(), Optional.empty()));
    }
    cycle.take(
        new Handover(
            ++batch,
            new ProgramDelta(pods, List.of(), List.of(), List.of(), List.of()),
            List.of(),
            Optional.empty(),
            List.of(new Handover.Coming(pod().device(), WEB, Optional.of(pod()), List.of())),
            List.of()));
    cycle.step();
    assertThat(kernel.kernelPods).hasSize(40);
  }

  @Test
  void manyChangesDoNotWaitForTheMinimumIntervalAfterOthers() {
    ready();
    take(put(1), Optional.empty());
    cycle.step();
    List<Change<Prefix, Route>> many = new ArrayList<>();
    for (int i = 100; i < 200; i++) {
      many.add(new Change.Put<>(prefix(i), route(i), Optional.empty()));
    }
    take(delta(many), Optional.empty());
    cycle.step();
    assertThat(kernel.kernelRoutes).hasSize(101);
  }

  @Test
  void aPodDoesNotWaitForTheMinimumIntervalAndIsAnsweredWhenTheKernelHasIt() throws Exception {
    ready();
    take(put(1), Optional.empty());
    cycle.step();
    var ticket = tickets.open(WEB.key());
    attach();
    assertThat(ticket).isNotDone();
    cycle.step();
    assertThat(ticket).isDone();
    assertThat(tickets.await(WEB.key(), ticket, Duration.ZERO))
        .isInstanceOf(AttachOutcome.Done.class);
    assertThat(kernel.attachments).containsKey(PodDevices.device(WEB));
  }

  @Test
  void aPodThatTheKernelRefusesIsAnsweredWithTheReason() throws Exception {
    ready();
    kernel.refused = Set.of(Prefix.host(WEB.addresses().getFirst()));
    var ticket = tickets.open(WEB.key());
    attach();
    cycle.step();
    assertThat(tickets.await(WEB.key(), ticket, Duration.ZERO))
        .isInstanceOfSatisfying(
            AttachOutcome.Refused.class, refused -> assertThat(refused.conditions()).hasSize(1));
  }

  @Test
  void aPodThatTheEngineRefusesNeverReachesTheKernel() throws Exception {
    ready();
    var ticket = tickets.open(WEB.key());
    String device = PodDevices.device(WEB);
    cycle.take(
        new Handover(
            ++batch,
            ProgramDelta.NONE,
            List.of(),
            Optional.empty(),
            List.of(new Handover.Coming(device, WEB, Optional.empty(), List.of())),
            List.of()));
    assertThat(tickets.await(WEB.key(), ticket, Duration.ZERO))
        .isInstanceOf(AttachOutcome.Refused.class);
    assertThat(kernel.attachments).isEmpty();
  }

  @Test
  void aDetachIsAnsweredWhenNothingIsLeft() throws Exception {
    ready();
    attach();
    cycle.step();
    var ticket = tickets.open(WEB.key());
    LocalPod pod = pod();
    cycle.take(
        new Handover(
            ++batch,
            new ProgramDelta(
                List.of(new Change.Remove<>(pod.device(), pod)),
                List.of(),
                List.of(),
                List.of(),
                List.of()),
            List.of(),
            Optional.empty(),
            List.of(),
            List.of(new Handover.Going(WEB.key(), Optional.of(pod)))));
    cycle.step();
    assertThat(tickets.await(WEB.key(), ticket, Duration.ZERO))
        .isInstanceOf(AttachOutcome.Done.class);
    assertThat(kernel.attachments).isEmpty();
    assertThat(kernel.kernelPods).isEmpty();
  }

  @Test
  void whatTheKernelRefusesIsTriedAgainLessAndLessOften() {
    ready();
    kernel.refused = Set.of(prefix(1));
    take(put(1), Optional.empty());
    long began = now;
    List<Long> tries = new ArrayList<>();
    while (now - began < Duration.ofSeconds(59).toNanos()) {
      int before = kernel.calls.size();
      advance(cycle.step());
      if (kernel.calls.subList(before, kernel.calls.size()).contains("retry")) {
        tries.add((now - began) / 1_000_000);
      }
    }
    assertThat(tries).hasSizeBetween(9, 14);
    kernel.refused = Set.of();
    runFor(Duration.ofSeconds(11));
    assertThat(kernel.kernelRoutes).containsKey(prefix(1));
  }

  @Test
  void whatIsNewDoesNotWaitForWhatFailed() {
    ready();
    kernel.refused = Set.of(prefix(1));
    take(put(1), Optional.empty());
    runFor(Duration.ofSeconds(20));
    take(put(2), Optional.empty());
    runFor(Duration.ofMillis(10));
    assertThat(kernel.kernelRoutes).containsKey(prefix(2));
  }

  @Test
  void aBusyKernelIsGivenTime() {
    ready();
    kernel.busy = true;
    take(put(1), Optional.empty());
    int before = kernel.calls.size();
    runFor(Duration.ofSeconds(3));
    assertThat(kernel.calls.subList(before, kernel.calls.size())).hasSizeLessThan(8);
    kernel.busy = false;
    runFor(Duration.ofSeconds(10));
    assertThat(kernel.kernelRoutes).containsKey(prefix(1));
    assertThat(state.pending()).isZero();
  }

  @Test
  void driftIsRepairedSoonCountedAndSaid() {
    ready();
    take(put(1), Optional.empty());
    cycle.step();
    kernel.kernelRoutes.clear();
    kernel.kernelRoutes.put(prefix(7), route(7));
    cycle.dirty(Set.of("routes"), "event");
    long began = now;
    long next = cycle.step();
    while (!kernel.kernelRoutes.equals(kernel.wantedRoutes)) {
      advance(next);
      next = cycle.step();
    }
    assertThat(now - began).isLessThan(Duration.ofMillis(100).toNanos());
    assertThat(metrics.driftRepaired.labelValues("routes").get()).isEqualTo(2);
    assertThat(metrics.resyncs.labelValues("event").get()).isEqualTo(1);
    assertThat(lines)
        .anyMatch(line -> line.contains("drift found\" table=routes entries=2 cause=event"))
        .anyMatch(line -> line.contains("drift repaired\" table=routes change=\"put 10.0.0.1/32"))
        .anyMatch(line -> line.contains("drift repaired\" table=routes change=\"del 10.0.0.7/32"));
    assertThat(kernel.calls).endsWith("resync [routes]", "apply");
  }

  @Test
  void whoAsksForAReadingIsToldWhenItIsDoneAndRepaired() {
    ready();
    take(put(1), Optional.empty());
    cycle.step();
    CompletableFuture<ApplyState> nothingWrong = new CompletableFuture<>();
    cycle.reread(nothingWrong);
    cycle.step();
    assertThat(nothingWrong).isDone();
    kernel.kernelRoutes.clear();
    CompletableFuture<ApplyState> repaired = new CompletableFuture<>();
    cycle.reread(repaired);
    runFor(Duration.ofMillis(100));
    assertThat(repaired).isDone();
    assertThat(kernel.kernelRoutes).containsKey(prefix(1));
  }

  @Test
  void aBurstOfEventsIsReadOnce() {
    ready();
    int before = kernel.calls.size();
    for (int i = 0; i < 1_000; i++) {
      cycle.dirty(Set.of("routes"), "event");
      cycle.step();
    }
    runFor(Duration.ofSeconds(1));
    assertThat(kernel.calls.subList(before, kernel.calls.size()))
        .containsExactly("resync [routes]");
  }

  @Test
  void whatIsNotYetAppliedIsNoDrift() {
    ready();
    kernel.busy = true;
    take(put(1), Optional.empty());
    cycle.dirty(Set.of("routes"), "event");
    runFor(Duration.ofSeconds(1));
    kernel.busy = false;
    runFor(Duration.ofSeconds(10));
    assertThat(metrics.driftRepaired.labelValues("routes").get()).isZero();
    assertThat(kernel.calls).contains("resync [routes]");
  }

  @Test
  void everythingIsReadAgainAfterTheLongestInterval() {
    ready();
    int before = kernel.calls.size();
    runFor(Duration.ofMinutes(5));
    assertThat(kernel.calls.subList(before, kernel.calls.size()))
        .hasSize(5)
        .containsOnly("resync [pods, routes]");
  }

  @Test
  void whatIsKnownIsPassedOverUnlessSomebodyAsks() {
    ready();
    int before = kernel.looks;
    runFor(Duration.ofMinutes(5));
    assertThat(kernel.looks).isEqualTo(before + 5);
    CompletableFuture<ApplyState> asked = new CompletableFuture<>();
    cycle.reread(asked);
    runFor(Duration.ofMillis(100));
    assertThat(asked).isDone();
    assertThat(kernel.looks).isEqualTo(before + 5);
  }

  @Test
  void readingTakesATwentiethOfTheTimeAtMost() {
    ready();
    kernel.reading = () -> now += Duration.ofSeconds(9).toNanos();
    int before = kernel.calls.size();
    runFor(Duration.ofMinutes(10));
    assertThat(kernel.calls.size() - before).isBetween(3, 4);
  }

  @Test
  void aKernelThatCannotBeReadIsReadAgainLater() {
    kernel.unreadable = true;
    runFor(Duration.ofSeconds(5));
    assertThat(kernel.calls).hasSizeBetween(4, 8);
    take(put(1), Optional.empty());
    runFor(Duration.ofSeconds(1));
    assertThat(kernel.kernelRoutes).isEmpty();
    kernel.unreadable = false;
    runFor(Duration.ofSeconds(11));
    assertThat(kernel.kernelRoutes).containsKey(prefix(1));
  }

  @Test
  void whoAsksForAReadingIsAnsweredWhenItHasBeenDone() {
    ready();
    CompletableFuture<ApplyState> ticket = new CompletableFuture<>();
    cycle.reread(ticket);
    assertThat(ticket).isNotDone();
    runFor(Duration.ofSeconds(1));
    assertThat(ticket).isCompleted();
  }

  private void ready() {
    take(ProgramDelta.NONE, Optional.empty());
    cycle.step();
    cycle.step();
    now += Timing.DEFAULT.minimum().toNanos();
    assertThat(state.settledOnce()).isTrue();
  }

  private void attach() {
    LocalPod pod = pod();
    Prefix host = Prefix.host(pod.addresses().getFirst());
    Route route = new Route(host, new Route.ToPod(pod.device()), Optional.empty(), 0, pod.rule());
    cycle.take(
        new Handover(
            ++batch,
            new ProgramDelta(
                List.of(new Change.Put<>(pod.device(), pod, Optional.empty())),
                List.of(new Change.Put<>(host, route, Optional.empty())),
                List.of(),
                List.of(),
                List.of()),
            List.of(),
            Optional.empty(),
            List.of(new Handover.Coming(pod.device(), WEB, Optional.of(pod), List.of())),
            List.of()));
  }

  private static LocalPod pod() {
    return new LocalPod(
        PodDevices.device(WEB),
        WEB.pod(),
        WEB.uid(),
        WEB.addresses(),
        PodDevices.mac(WEB),
        1500,
        0,
        PodDevices.rule(WEB));
  }

  private void take(ProgramDelta delta, Optional<String> hold) {
    cycle.take(new Handover(++batch, delta, List.of(), hold, List.of(), List.of()));
  }

  /** Lets simulated time pass, doing what falls due. */
  private void runFor(Duration time) {
    long end = now + time.toNanos();
    int steps = 0;
    while (true) {
      long next = cycle.step();
      assertThat(++steps).as("steps without progress").isLessThan(10_000);
      if (next >= end) {
        now = end;
        return;
      }
      now = Math.max(now, next);
    }
  }

  private void advance(long next) {
    now = Math.max(now, Math.min(next, now + 1_000_000_000L));
  }

  private static ProgramDelta put(int i) {
    return delta(List.of(new Change.Put<>(prefix(i), route(i), Optional.empty())));
  }

  private static ProgramDelta delta(List<Change<Prefix, Route>> routes) {
    return new ProgramDelta(List.of(), routes, List.of(), List.of(), List.of());
  }

  private static Prefix prefix(int i) {
    return Prefix.parse("10.0." + i / 256 + "." + i % 256 + "/32");
  }

  private static Route route(int i) {
    return new Route(
        prefix(i), new Route.Unreachable(), Optional.empty(), 0, RuleId.builtin("r" + i));
  }
}
