package dev.sund.kernel.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RouteCodecTest {
  private static final long SEED = Long.getLong("sund.seed", 20260102);

  private final Random random = new Random(SEED);

  private Ip ip(Family family) {
    return family == Family.V4
        ? Ip.v4(random.nextInt() | 1)
        : Ip.v6(random.nextLong(), random.nextLong() | 1);
  }

  private Family family() {
    return random.nextBoolean() ? Family.V4 : Family.V6;
  }

  private Prefix prefix(Family family) {
    return Prefix.around(ip(family), random.nextInt(family.bits() + 1));
  }

  private Mac mac() {
    return new Mac(random.nextLong() & 0xffffffffffffL);
  }

  private int index() {
    return 1 + random.nextInt(1 << 20);
  }

  private RouteEntry route() {
    Family family = family();
    RouteEntry route =
        RouteEntry.to(prefix(family))
            .withProtocol(random.nextInt(256))
            .withMetric(random.nextInt())
            .withTable(random.nextBoolean() ? 254 : 1 + random.nextInt(100_000));
    if (random.nextInt(5) == 0) {
      return route.withType(RouteType.UNREACHABLE);
    }
    if (random.nextInt(8) == 0) {
      List<NextHop> hops = new ArrayList<>();
      for (int i = 0; i < 1 + random.nextInt(4); i++) {
        Optional<Ip> gateway = random.nextBoolean() ? Optional.of(ip(family())) : Optional.empty();
        hops.add(new NextHop(index(), gateway, 1 + random.nextInt(256), 0));
      }
      return new RouteEntry(
          route.destination(),
          route.table(),
          route.protocol(),
          RouteType.UNICAST,
          0,
          route.metric(),
          Optional.empty(),
          0,
          Optional.of(ip(family)),
          1400,
          0,
          hops,
          0,
          "");
    }
    route = route.withDevice(index());
    if (random.nextBoolean()) {
      route = route.withGateway(ip(random.nextInt(4) == 0 ? family() : family));
    }
    if (random.nextBoolean()) {
      route = route.withOnlink();
    }
    if (random.nextBoolean()) {
      route = route.withSource(ip(family));
    }
    return random.nextBoolean() ? route.withMtu(68 + random.nextInt(9000)) : route;
  }

  private Rule rule() {
    Rule rule = Rule.lookup(family(), random.nextInt(), 1 + random.nextInt(100_000), 83);
    if (random.nextBoolean()) {
      rule = rule.withFrom(prefix(rule.family()));
    }
    if (random.nextBoolean()) {
      rule = rule.withTo(prefix(rule.family()));
    }
    if (random.nextBoolean()) {
      rule = rule.withMark(random.nextInt(), random.nextInt() | 1);
    }
    return random.nextBoolean() ? rule.withInDevice("eth" + random.nextInt(99)) : rule;
  }

  private static RouteEvent decode(NlWriter writer) throws KernelException {
    List<RouteEvent> events = new ArrayList<>();
    NlReader.messages(
        writer.toBytes(),
        writer.size(),
        (type, flags, body) -> RouteMessages.decode(type, flags, body).ifPresent(events::add));
    assertThat(events).hasSize(1);
    return events.getFirst();
  }

  private static NlWriter written(RouteRequest request) {
    NlWriter writer = new NlWriter();
    request.write(writer);
    return writer;
  }

  @Test
  void whatIsWrittenIsReadTheSame() throws KernelException {
    for (int i = 0; i < count(30_000); i++) {
      RouteEntry route = route();
      assertThat(decode(written(new RouteRequest.CreateRoute(route))))
          .as("seed %d", SEED)
          .isEqualTo(new RouteEvent.RouteChanged(route, false));
      assertThat(decode(written(new RouteRequest.DeleteRoute(route))))
          .isEqualTo(new RouteEvent.RouteGone(route));
      Rule rule = rule();
      assertThat(decode(written(new RouteRequest.CreateRule(rule))))
          .as("seed %d", SEED)
          .isEqualTo(new RouteEvent.RuleChanged(rule));
      Neighbour neighbour = Neighbour.permanent(index(), ip(family()), mac());
      assertThat(decode(written(new RouteRequest.PutNeighbour(neighbour))))
          .isEqualTo(new RouteEvent.NeighbourChanged(neighbour));
      FdbEntry entry = FdbEntry.permanent(index(), mac(), ip(family()));
      assertThat(decode(written(new RouteRequest.DeleteFdb(entry))))
          .isEqualTo(new RouteEvent.FdbGone(entry));
      Ip ip = ip(family());
      Address address =
          Address.alone(index(), new InterfaceAddress(ip, random.nextInt(ip.family().bits() + 1)));
      assertThat(decode(written(new RouteRequest.PutAddress(address))))
          .isEqualTo(new RouteEvent.AddressChanged(address));
    }
  }

  @Test
  void anIpipDevicesSettingsAreReadAsWritten() throws KernelException {
    for (int i = 0; i < count(1_000); i++) {
      Ipip ipip =
          new Ipip(
              random.nextBoolean() ? Optional.empty() : Optional.of(ip(Family.V4)),
              index(),
              random.nextBoolean() ? Optional.empty() : Optional.of(ip(Family.V4)),
              random.nextInt(256),
              random.nextBoolean());
      RouteEvent event = decode(written(new RouteRequest.CreateLink("ii", 7, ipip, List.of())));
      assertThat(event)
          .isInstanceOfSatisfying(
              RouteEvent.LinkChanged.class,
              changed -> assertThat(changed.link().ipip()).contains(ipip));
    }
  }

  @Test
  void aVxlanDevicesSettingsAreReadAsWritten() throws KernelException {
    for (int i = 0; i < count(5_000); i++) {
      Vxlan vxlan =
          new Vxlan(
              random.nextInt(1 << 24),
              1 + random.nextInt(65535),
              Optional.of(ip(family())),
              index(),
              random.nextBoolean() ? Optional.empty() : Optional.of(ip(family())),
              random.nextBoolean(),
              random.nextInt(256),
              random.nextInt(3));
      RouteEvent event = decode(written(new RouteRequest.CreateLink("vx", 7, vxlan, List.of())));
      assertThat(event)
          .isInstanceOfSatisfying(
              RouteEvent.LinkChanged.class,
              changed -> {
                assertThat(changed.link().vxlan()).contains(vxlan);
                assertThat(changed.link().index()).isEqualTo(7);
                assertThat(changed.link().name()).isEqualTo("vx");
              });
    }
  }

  @Test
  void damagedMessagesAreReadOrMalformedAndNothingElse() throws KernelException {
    for (int i = 0; i < count(300_000); i++) {
      byte[] data =
          switch (i % 5) {
            case 0 -> written(new RouteRequest.CreateRoute(route())).toBytes();
            case 1 -> written(new RouteRequest.CreateRule(rule())).toBytes();
            case 2 ->
                written(new RouteRequest.PutFdb(FdbEntry.permanent(3, mac(), ip(family()))))
                    .toBytes();
            case 3 ->
                written(
                        new RouteRequest.PutAddress(
                            Address.of(3, new InterfaceAddress(ip(family()), 24))))
                    .toBytes();
            default ->
                written(
                        new RouteRequest.CreateLink(
                            "vx",
                            0,
                            Vxlan.fixed(1, 2, ip(family()), 3),
                            List.of(new LinkSetting.Mtu(1400))))
                    .toBytes();
          };
      for (int n = random.nextInt(4); n >= 0; n--) {
        data[4 + random.nextInt(data.length - 4)] = (byte) random.nextInt();
      }
      try {
        NlReader.messages(
            data, data.length, (type, flags, body) -> RouteMessages.decode(type, flags, body));
      } catch (Malformed _) {
        // as it should be
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + SEED + ": " + HexFormat.of().formatHex(data), e);
      }
    }
  }

  @Test
  void aRouteReadsAsPeopleWriteIt() {
    RouteEntry route =
        RouteEntry.to(Prefix.parse("10.244.2.0/24"))
            .withDevice(4)
            .withGateway(Ip.parse("192.0.2.12"))
            .withOnlink()
            .withProtocol(83)
            .withSource(Ip.parse("10.244.1.0"))
            .withMtu(1450);
    assertThat(route)
        .hasToString("10.244.2.0/24 via 192.0.2.12 dev #4 proto 83 src 10.244.1.0 mtu 1450 onlink");
    assertThat(RouteEntry.to(Prefix.parse("fd00::/48")).withType(RouteType.UNREACHABLE))
        .hasToString("unreachable fd00::/48 proto 4 metric 1024");
  }

  @Test
  void requestsSayWhatTheyAskOfWhich() {
    RouteRequest.SetLink change =
        RouteRequest.SetLink.of(
            "eth0", new LinkSetting.Up(true), new LinkSetting.Mtu(1400), new LinkSetting.Group(7));
    assertThat(change.operation() + " " + change.object())
        .isEqualTo("set link eth0 up mtu 1400 group 7");
    assertThat(
            new RouteRequest.PutFdb(
                    FdbEntry.permanent(9, new Mac(0x020000000017L), Ip.parse("192.0.2.1")))
                .object())
        .isEqualTo("02:00:00:00:00:17 dst 192.0.2.1 dev #9 self permanent");
  }

  @Test
  void namesThatTheKernelWouldRefuseAreRefusedBefore() {
    for (String name : List.of("", "sixteen-bytes-ab", "a/b", "a:b", "a b", ".", "..")) {
      assertThatThrownBy(() -> Link.checkName(name))
          .as(name)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'" + name + "'");
    }
    assertThat(Link.checkName("sund-vxlan4")).isEqualTo("sund-vxlan4");
    assertThatThrownBy(() -> new RouteRequest.DeleteGroup(0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new LinkSetting.Alias("x".repeat(256)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aRouteThatSaysMoreThanIsModelledCannotBeWritten() {
    RouteEntry plain = RouteEntry.to(Prefix.parse("10.0.0.0/8")).withDevice(1);
    RouteEntry read =
        new RouteEntry(
            plain.destination(),
            254,
            3,
            RouteType.UNICAST,
            253,
            0,
            Optional.empty(),
            1,
            Optional.empty(),
            0,
            0,
            List.of(),
            0,
            "tos 16");
    assertThatThrownBy(() -> written(new RouteRequest.PutRoute(read)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("tos 16");
  }

  /** All with {@code --long}, else a tenth. */
  private static int count(int all) {
    return Boolean.getBoolean("sund.long") ? all : all / 10;
  }
}
