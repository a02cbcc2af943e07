package dev.sund.engine.hostlocal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class HostLocalAllocatorTest {
  private final MemoryStore store = new MemoryStore();

  @Test
  void anInterfaceGetsOneAddressOfEachSet() throws Exception {
    HostLocalAllocator allocator =
        new HostLocalAllocator("net", List.of(set("10.1.2.0/24"), set("fd00:2::/64")));

    List<GivenAddress> given = allocator.allocate(store, owner("c1"), List.of());

    assertThat(given.stream().map(one -> one.address() + " via " + one.gateway()))
        .containsExactly("10.1.2.2/24 via 10.1.2.1", "fd00:2::2/64 via fd00:2::1");
  }

  @Test
  void addressesAreGivenInTurnAlsoAfterOneIsFreeAgain() throws Exception {
    HostLocalAllocator allocator = allocator("10.1.2.0/29");

    assertThat(next(allocator, "a")).isEqualTo("10.1.2.2");
    assertThat(next(allocator, "b")).isEqualTo("10.1.2.3");
    store.release(owner("a"));
    assertThat(next(allocator, "c")).isEqualTo("10.1.2.4");
    assertThat(next(allocator, "d")).isEqualTo("10.1.2.5");
    assertThat(next(allocator, "e")).isEqualTo("10.1.2.6");
    assertThat(next(allocator, "f")).isEqualTo("10.1.2.2");
  }

  @Test
  void aFullSetSaysHowManyAreTakenAndWhatToDo() throws Exception {
    HostLocalAllocator allocator = allocator("10.1.2.0/30");
    next(allocator, "a");

    assertThatThrownBy(() -> next(allocator, "b"))
        .isInstanceOf(NoAddressException.class)
        .hasMessage("Network net has no free address in 10.1.2.1-10.1.2.2: all 1 are taken.")
        .extracting(e -> ((NoAddressException) e).remedy())
        .asString()
        .contains("CNI GC");
  }

  @Test
  void whatOneSetGaveIsGivenBackWhenAnotherIsFull() throws Exception {
    HostLocalAllocator allocator =
        new HostLocalAllocator("net", List.of(set("10.1.2.0/24"), set("10.1.3.0/30")));
    allocator.allocate(store, owner("a"), List.of());

    assertThatThrownBy(() -> allocator.allocate(store, owner("b"), List.of()))
        .isInstanceOf(NoAddressException.class);

    assertThat(store.of(owner("b"))).isEmpty();
    assertThat(store.of(owner("a"))).hasSize(2);
  }

  @Test
  void aSecondAddForOneInterfaceIsRefusedAndTakesNothingAway() throws Exception {
    HostLocalAllocator allocator = allocator("10.1.2.0/24");
    next(allocator, "a");

    assertThatThrownBy(() -> next(allocator, "a"))
        .hasMessage("Interface a/eth0 has address 10.1.2.2 of network net already.");

    assertThat(store.of(owner("a"))).containsExactly(Ip.parse("10.1.2.2"));
  }

  @Test
  void anAddressThatIsAskedForIsGivenOrRefused() throws Exception {
    HostLocalAllocator allocator = allocator("10.1.2.0/24");

    assertThat(ask(allocator, "a", "10.1.2.77")).isEqualTo("10.1.2.77");
    assertThatThrownBy(() -> ask(allocator, "b", "10.1.2.77"))
        .hasMessage("Address 10.1.2.77 of network net is taken.");
    assertThatThrownBy(() -> ask(allocator, "b", "10.1.2.1"))
        .hasMessage("Address 10.1.2.1 is the gateway of subnet 10.1.2.0/24.");
    assertThatThrownBy(() -> ask(allocator, "b", "10.9.9.9"))
        .hasMessageStartingWith("Network net cannot give 10.9.9.9: ");
    assertThatThrownBy(() -> ask(allocator, "b", "10.1.2.8", "10.1.2.9"))
        .hasMessageStartingWith("Network net cannot give 10.1.2.9: ");
    assertThat(store.of(owner("b"))).isEmpty();
    assertThat(next(allocator, "c"))
        .as("behind the last one taken, though it was given back")
        .isEqualTo("10.1.2.9");
  }

  @Test
  void rangesOfOneSetAreUsedOneAfterTheOther() throws Exception {
    HostLocalAllocator allocator =
        new HostLocalAllocator(
            "net",
            List.of(
                new RangeSet(
                    List.of(
                        range("10.1.2.0/24", "10.1.2.9", "10.1.2.10"),
                        range("10.7.0.0/16", "10.7.0.1", "10.7.0.2")))));

    assertThat(next(allocator, "a")).isEqualTo("10.1.2.9");
    assertThat(next(allocator, "b")).isEqualTo("10.1.2.10");
    assertThat(next(allocator, "c")).isEqualTo("10.7.0.2");
    assertThatThrownBy(() -> next(allocator, "d")).hasMessageContaining("all 3 are taken");
  }

  @Test
  void whatDoesNotFitTogetherIsNamed() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> set("10.1.2.0/31"))
        .withMessage("subnet 10.1.2.0/31 is too small: it needs at least four addresses");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> range("10.1.2.0/24", "10.1.3.1", "10.1.2.9"))
        .withMessage("rangeStart 10.1.3.1 is not in subnet 10.1.2.0/24");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> range("10.1.2.0/24", "10.1.2.9", "10.1.2.8"))
        .withMessage("rangeStart 10.1.2.9 is behind rangeEnd 10.1.2.8");
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            new RangeSet(
                List.of(
                    set("10.1.2.0/24").ranges().getFirst(), set("fd00::/64").ranges().getFirst())))
        .withMessageEndingWith("of one set are of two families");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> new HostLocalAllocator("net", List.of(set("10.1.0.0/16"), set("10.1.2.0/24"))))
        .withMessageStartingWith("range set 0 (10.1.0.1-10.1.255.254) overlaps with 1 ");
  }

  @Test
  void inAnyOrderOfAddsAndReleasesNoAddressIsGivenTwiceAndNoneIsLost() throws Exception {
    long seed = Long.getLong("sund.seed", System.nanoTime());
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    for (int round = 0; round < 200; round++) {
      MemoryStore fresh = new MemoryStore();
      HostLocalAllocator allocator =
          new HostLocalAllocator("net", List.of(set("10.0.0.0/28"), set("fd00::/125")));
      Map<String, List<Ip>> have = new HashMap<>();
      for (int i = 0; i < 60; i++) {
        String id = "c" + random.nextInt(16);
        if (have.containsKey(id)) {
          assertThat(fresh.release(owner(id))).hasSameElementsAs(have.remove(id));
          continue;
        }
        try {
          List<Ip> given =
              allocator.allocate(fresh, owner(id), List.of()).stream()
                  .map(one -> one.address().ip())
                  .toList();
          Set<Ip> others = new HashSet<>();
          have.values().forEach(others::addAll);
          assertThat(others).doesNotContainAnyElementsOf(given);
          have.put(id, given);
        } catch (NoAddressException _) {
          assertThat(have).hasSize(6); // fd00::2 to fd00::7: the smaller of both sets
        }
      }
    }
  }

  private HostLocalAllocator allocator(String subnet) {
    return new HostLocalAllocator("net", List.of(set(subnet)));
  }

  private String next(HostLocalAllocator allocator, String id)
      throws NoAddressException, AddressStoreException {
    return ask(allocator, id);
  }

  private String ask(HostLocalAllocator allocator, String id, String... wanted)
      throws NoAddressException, AddressStoreException {
    List<Ip> ips = new ArrayList<>(Arrays.stream(wanted).map(Ip::parse).toList());
    return allocator.allocate(store, owner(id), ips).getFirst().address().ip().toString();
  }

  private static AddressOwner owner(String id) {
    return new AddressOwner(id, "eth0");
  }

  private static RangeSet set(String subnet) {
    return new RangeSet(
        List.of(
            AddressRange.of(
                Prefix.parse(subnet), Optional.empty(), Optional.empty(), Optional.empty())));
  }

  private static AddressRange range(String subnet, String first, String last) {
    return AddressRange.of(
        Prefix.parse(subnet),
        Optional.of(Ip.parse(first)),
        Optional.of(Ip.parse(last)),
        Optional.empty());
  }
}
