package dev.sund.engine.ipam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** One node's allocator, in both modes. */
class AllocatorTest {
  private static final NodeName N1 = new NodeName("n1");
  private static final NodeName N2 = new NodeName("n2");
  private static final AddressPool POOL =
      new AddressPool("default", Prefix.parse("10.0.0.0/27"), 29);
  private static final AddressPool SIX = new AddressPool("six", Prefix.parse("fd00::/64"), 122);

  private final FaultyStore store = new FaultyStore(new Random(1));
  private Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private long nanos = 1;
  private int agents;

  @Test
  void aNodeGivesItsOwnRangeInTurnWithoutItsFirstAndLastAddress() throws Exception {
    Allocator node = node("10.244.1.0/29", "fd00:1::/64");
    assertThat(given(node, "a")).containsExactly(Ip.parse("10.244.1.1"));
    assertThat(given(node, "b")).containsExactly(Ip.parse("10.244.1.2"));
    node.release("a");
    for (int last = 3; last <= 6; last++) {
      assertThat(given(node, "c" + last)).containsExactly(Ip.parse("10.244.1." + last));
    }
    assertThat(node.allocate(request("six", Set.of(Family.V4, Family.V6), List.of(), List.of())))
        .isInstanceOf(Allocation.Refused.class);
    pass(10);
    assertThat(node.allocate(request("six", Set.of(Family.V4, Family.V6), List.of(), List.of())))
        .isEqualTo(new Allocation.Given(List.of(Ip.parse("10.244.1.1"), Ip.parse("fd00:1::1"))));
  }

  @Test
  void aReleasedAddressCoolsDownExceptForThePodThatHadIt() throws Exception {
    Allocator node = node("10.244.1.0/30");
    assertThat(given(node, "a")).containsExactly(Ip.parse("10.244.1.1"));
    assertThat(given(node, "b")).containsExactly(Ip.parse("10.244.1.2"));
    node.release("a");
    assertThat(refused(node, "c").passing()).isTrue();
    assertThat(given(node, "a")).containsExactly(Ip.parse("10.244.1.1"));
    node.release("a");
    pass(9);
    assertThat(refused(node, "c").passing()).isTrue();
    pass(1);
    assertThat(given(node, "c")).containsExactly(Ip.parse("10.244.1.1"));
  }

  @Test
  void aRepeatedRequestGetsTheSameAddress() throws Exception {
    Allocator node = node("10.244.1.0/24");
    assertThat(given(node, "a")).isEqualTo(given(node, "a"));
    node.release("a");
    node.release("a"); // C2: a second DEL is no error
  }

  @Test
  void aRestoredAddressIsNobodyElses() throws Exception {
    Allocator node = node("10.244.1.0/29");
    node.restore("old", pod("old"), List.of(Ip.parse("10.244.1.1")));
    node.restoreCooling(Ip.parse("10.244.1.2"), pod("gone"), now.minusSeconds(3));
    assertThat(given(node, "a")).containsExactly(Ip.parse("10.244.1.3"));
    pass(7);
    node.release("a");
    assertThat(node.given()).containsOnlyKeys("old");
  }

  @Test
  void aFullRangeSaysHowFullAndWhatToDo() throws Exception {
    Allocator node = node("10.244.1.0/30");
    given(node, "a");
    given(node, "b");
    assertThat(refused(node, "c").why())
        .hasToString(
            "Node n1 spec.podCIDRs: All 2 addresses of [10.244.1.0/30] are taken: 2 by pods of this"
                + " node, 0 cool down, 0 are reserved. See who has them with 'sund ipam show'; run"
                + " fewer pods here, or give nodes larger ranges (--node-cidr-mask-size)."
                + " [pool-full]");
    assertThat(refused(node, "c").passing()).isFalse();
  }

  @Test
  void halfADualStackSuccessIsNone() throws Exception { // Calico interop: released and failed
    Allocator node = node("10.244.1.0/24");
    Allocation answer =
        node.allocate(request("a", Set.of(Family.V4, Family.V6), List.of(), List.of()));
    assertThat(((Allocation.Refused) answer).why().reason())
        .isEqualTo(Reason.NODE_WITHOUT_POD_CIDR);
    assertThat(node.given()).isEmpty();
  }

  @Test
  void anAddressThatIsAskedForMustBeInRangeAndFree() throws Exception {
    Allocator node = node("10.244.1.0/24");
    assertThat(fixed(node, "a", "10.244.1.77")).isInstanceOf(Allocation.Given.class);
    assertThat(why(fixed(node, "b", "10.244.1.77")))
        .isEqualTo(
            "Pod p/b ips: 10.244.1.77 is asked for, but pod p/a of this node has it. Ask for"
                + " another address, or delete the other pod first. [address-not-available]");
    assertThat(why(fixed(node, "c", "10.9.9.9")))
        .isEqualTo(
            "Pod p/c ips: 10.9.9.9 is asked for, but node n1 gives addresses of [10.244.1.0/24]."
                + " Ask for an address of the node's podCIDRs, or for none."
                + " [address-not-available]");
  }

  @Test
  void reservedAddressesAreGivenOnlyByName() throws Exception {
    Allocator node = node("10.244.1.0/29");
    node.reserve(List.of(Prefix.parse("10.244.1.0/30")));
    assertThat(given(node, "a")).containsExactly(Ip.parse("10.244.1.4"));
    assertThat(fixed(node, "b", "10.244.1.2")).isInstanceOf(Allocation.Given.class);
  }

  @Test
  void aHundredParallelRequestsGetAHundredAddresses() throws Exception { // C10
    Allocator one = pools(N1);
    AddressPool wide = new AddressPool("wide", Prefix.parse("10.1.0.0/24"), 26);
    Set<Ip> all = new HashSet<>();
    try (var threads = Executors.newFixedThreadPool(16)) {
      List<Future<Allocation>> answers = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        AddressRequest request = request("p" + i, Set.of(Family.V4), List.of(), List.of(wide));
        answers.add(threads.submit(() -> one.allocate(request)));
      }
      for (Future<Allocation> answer : answers) {
        all.addAll(((Allocation.Given) answer.get()).addresses());
      }
    }
    assertThat(all).hasSize(100);
  }

  @Test
  void twoNodesShareAPoolToItsLastAddress() throws Exception {
    Allocator one = pools(N1);
    Allocator two = pools(N2);
    Set<Ip> all = new HashSet<>();
    for (int i = 0; i < 16; i++) {
      all.addAll(given(one, "a" + i));
      all.addAll(given(two, "b" + i));
    }
    assertThat(all).hasSize(32);
    assertThat(refused(one, "more").why().text())
        .isEqualTo(
            "All 32 addresses of 10.0.0.0/27 are claimed, by 2 nodes (most by n1 16, n2 16); of"
                + " this node's 16, 16 are in use and 0 cool down.");
    long calls = store.calls;
    refused(one, "again");
    assertThat(store.calls).as("a full pool is not searched at every request").isEqualTo(calls);
  }

  @Test
  void aNodeThatLosesTheRaceForEveryBlockBorrowsFromThoseWhoWon() throws Exception {
    Allocator late = pools(N1);
    List<Allocator> early = new ArrayList<>();
    for (int i = 2; i <= 5; i++) {
      early.add(pools(new NodeName("n" + i)));
    }
    store.meanwhile =
        () -> {
          if (store.calls == 3) { // it has listed the blocks and is about to claim the first
            store.meanwhile = () -> {};
            assertThatCode(
                    () -> {
                      for (Allocator node : early) {
                        given(node, "early");
                      }
                    })
                .doesNotThrowAnyException();
          }
        };
    assertThat(given(late, "late")).hasSize(1);
    assertThat(store.blocks.values()).hasSize(4).noneMatch(Block::isIdle);
  }

  @Test
  void whatADeletedNodeHadIsTakenWhenThePoolIsFull() throws Exception {
    Allocator one = pools(N1);
    Allocator two = pools(N2);
    for (int i = 0; i < 16; i++) {
      given(one, "a" + i);
      given(two, "b" + i);
    }
    store.nodes.remove(N2);
    assertThat(given(one, "more")).hasSize(1);
  }

  @Test
  void blocksOfSixAndFourAreClaimedTogether() throws Exception {
    Allocator one = pools(N1);
    AddressRequest both = request("a", Set.of(Family.V4, Family.V6), List.of(), List.of(POOL, SIX));
    assertThat(((Allocation.Given) one.allocate(both)).addresses())
        .extracting(Ip::family)
        .containsExactly(Family.V4, Family.V6);
    assertThat(store.blocks.values()).allMatch(block -> block.node().orElseThrow().equals(N1));
  }

  @Test
  void podsStartWhileTheApiIsAwayFromWhatTheNodeHolds() throws Exception {
    Allocator one = pools(N1);
    given(one, "a");
    one.maintain();
    store.down = true;
    assertThat(refused(one, "b").passing()).as("this may be a moment only").isTrue();
    pass(5);
    assertThat(given(one, "b")).hasSize(1);
    assertThat(one.givenUnread()).isEqualTo(1);
    assertThat(refusedOrGiven(one, 30)).as("no more than it holds").isLessThanOrEqualTo(16);
  }

  @Test
  void aMachineBroughtBackFromASnapshotGivesNothingThatOthersHaveGotSince() throws Exception {
    Allocator before = pools(N1);
    given(before, "a");
    before.release("a");
    // What the snapshot does not know: everything was given back, and another node took it all.
    Allocator after = pools(N1);
    after.know(List.of(POOL));
    after.maintain();
    pass(61);
    after.maintain();
    after.maintain();
    Allocator two = pools(N2);
    Set<Ip> others = new HashSet<>();
    for (int i = 0; i < 28; i++) {
      others.addAll(given(two, "b" + i));
    }
    List<Ip> addresses = given(before, "c");
    assertThat(others).doesNotContainAnyElementsOf(addresses);
  }

  @Test
  void whatADeadAgentStillHadUnderWayTakesNothingFromItsSuccessor() throws Exception {
    Allocator dead = pools(N1);
    given(dead, "a");
    dead.release("a");
    pass(10);
    dead.maintain();
    pass(61);
    store.holdNext = true; // the giving back of the idle block, when the agent is killed
    dead.maintain();
    Allocator successor = pools(N1);
    List<Ip> addresses = given(successor, "b");
    store.deliver(1);
    Allocator two = pools(N2);
    Set<Ip> others = new HashSet<>();
    for (int i = 0; i < 24; i++) {
      others.addAll(given(two, "b" + i));
    }
    assertThat(others).doesNotContainAnyElementsOf(addresses);
  }

  @Test
  void aClaimThatSomebodyDeletedIsMadeAgain() throws Exception {
    Allocator one = pools(N1);
    List<Ip> addresses = given(one, "a");
    store.blocks.clear();
    pass(61);
    one.maintain();
    Block block =
        store.blocks.values().stream()
            .filter(each -> each.cidr().contains(addresses.getFirst()))
            .findFirst()
            .orElseThrow();
    assertThat(block.claimed(N1).has(block.offset(addresses.getFirst()))).isTrue();
    assertThat(one.conditions()).isEmpty();
  }

  @Test
  void anAddressInUseThatAnotherNodeHasClaimedIsSaid() throws Exception {
    Allocator one = pools(N1);
    Ip ip = given(one, "a").getFirst();
    store.blocks.clear();
    assertThat(fixedOf(pools(N2), "thief", ip)).isInstanceOf(Allocation.Given.class);
    pass(61);
    one.know(List.of(POOL));
    one.maintain();
    assertThat(one.conditions())
        .extracting(each -> each.reason())
        .containsExactly(Reason.ADDRESS_NOT_CLAIMED);
  }

  @Test
  void anEmptyBlockIsGivenBackAfterAMinuteAndTwoLooks() throws Exception { // Calico interop
    Allocator one = pools(N1);
    given(one, "a");
    one.release("a");
    pass(10);
    one.maintain();
    assertThat(store.blocks.values()).noneMatch(Block::isIdle);
    pass(60);
    one.maintain();
    assertThat(store.blocks.values()).allMatch(Block::isIdle);
  }

  @Test
  void whatIsChosenForOneFamilyIsNotGivenUpWhileTheOtherIsLookedFor() throws Exception {
    Allocator one = pools(N1);
    Prefix four = Prefix.around(given(one, "a").getFirst(), POOL.blockSize());
    long before = store.calls;
    store.meanwhile =
        () -> {
          if (store.calls == before + 2) { // the first is about the IPv4 block
            store.blocks.put(four, store.blocks.get(four).without(N1).at("somebody's"));
          }
        };
    AddressRequest both = request("b", Set.of(Family.V4, Family.V6), List.of(), List.of(POOL, SIX));
    nanos++;
    List<Ip> addresses = ((Allocation.Given) one.allocate(both)).addresses();
    Block block = store.blocks.get(four);
    assertThat(block.version()).isNotEqualTo("somebody's");
    assertThat(block.claimed(N1).has(block.offset(addresses.getFirst()))).isTrue();
  }

  @Test
  void aClaimOverAnothersBlockIsNotUsedHoweverItsAnswerCame() throws Exception {
    Ip theirs = given(pools(N2), "a").getFirst();
    Prefix wide = Prefix.around(theirs, 28);
    Ip free =
        Prefix.around(theirs, POOL.blockSize()).contains(wide.address())
            ? wide.last()
            : wide.address();
    store.twiceNext = true;
    AddressPool edited = new AddressPool("default", POOL.cidr(), 28);
    Allocation allocation =
        pools(N1).allocate(request("b", Set.of(Family.V4), List.of(free), List.of(edited)));
    assertThat(allocation).isInstanceOf(Allocation.Refused.class);
    assertThat(store.blocks.get(wide).isIdle()).isTrue();
  }

  private Allocator node(String... ranges) {
    Allocator node = Allocator.ofNode(N1, Duration.ofSeconds(10), () -> now);
    node.ranges(List.of(ranges).stream().map(Prefix::parse).toList());
    return node;
  }

  private Allocator pools(NodeName name) {
    store.nodes.add(name);
    return Allocator.ofPools(
        name, "boot", name + "-" + ++agents, store, Duration.ofSeconds(10), () -> now, () -> nanos);
  }

  private void pass(int seconds) {
    now = now.plusSeconds(seconds);
    nanos += seconds * 1_000_000_000L;
  }

  private int refusedOrGiven(Allocator one, int count) throws InterruptedException {
    int given = 0;
    for (int i = 0; i < count; i++) {
      given += ask(one, "more" + i) instanceof Allocation.Given ? 1 : 0;
    }
    return given;
  }

  private List<Ip> given(Allocator from, String owner) throws InterruptedException {
    nanos++;
    return ((Allocation.Given) ask(from, owner)).addresses();
  }

  private Allocation.Refused refused(Allocator from, String owner) throws InterruptedException {
    nanos++;
    return (Allocation.Refused) ask(from, owner);
  }

  private static Allocation ask(Allocator from, String owner) throws InterruptedException {
    return from.allocate(request(owner, Set.of(Family.V4), List.of(), List.of(POOL)));
  }

  private static Allocation fixed(Allocator from, String owner, String ip)
      throws InterruptedException {
    return fixedOf(from, owner, Ip.parse(ip));
  }

  private static Allocation fixedOf(Allocator from, String owner, Ip ip)
      throws InterruptedException {
    return from.allocate(request(owner, Set.of(Family.V4), List.of(ip), List.of(POOL)));
  }

  private static String why(Allocation allocation) {
    return ((Allocation.Refused) allocation).why().toString();
  }

  private static AddressRequest request(
      String owner, Set<Family> families, List<Ip> fixed, List<AddressPool> pools) {
    return new AddressRequest(owner, pod(owner), owner, families, fixed, pools);
  }

  private static PodKey pod(String owner) {
    return new PodKey("p", owner);
  }
}
