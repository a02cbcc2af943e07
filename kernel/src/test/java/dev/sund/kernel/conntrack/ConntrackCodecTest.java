package dev.sund.kernel.conntrack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.conntrack.Tuple.Transport;
import dev.sund.kernel.netlink.Netlink;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.Ip;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ConntrackCodecTest {
  private static final long SEED = Long.getLong("sund.seed", 20261121);
  private static final int CASES = 2_000;

  @Test
  void whatIsWrittenIsReadBack() throws Exception {
    Random random = new Random(SEED);
    for (int i = 0; i < CASES; i++) {
      ConntrackEntry entry = randomEntry(random);
      NlWriter out = new NlWriter();
      Connections.write(out, entry);

      assertThat(ConntrackCodec.readEntry(body(out)))
          .as("seed %d, case %d", SEED, i)
          .isEqualTo(entry);
    }
  }

  @Test
  void aDeletionNamesTheTupleAndTheNumber() throws Exception {
    Tuple tuple = Tuple.of(17, Ip.parse("10.1.0.5"), 4711, Ip.parse("10.96.0.10"), 53);
    NlWriter out = new NlWriter();
    ConntrackCodec.writeDelete(out, tuple, 7, 0x80000001);

    NlReader body = body(out).skip(ConntrackCodec.HEADER);
    assertThat(body.next()).isTrue();
    assertThat(body.type()).isEqualTo(Cta.TUPLE_ORIG);
    assertThat(body.next()).isTrue();
    assertThat(body.type()).isEqualTo(Cta.ZONE);
    assertThat(body.be16()).isEqualTo(7);
    assertThat(body.next()).isTrue();
    assertThat(body.type()).isEqualTo(Cta.ID);
    assertThat(body.be32()).isEqualTo(0x80000001);
    assertThat(body.next()).isFalse();
  }

  @Test
  void anEntryWithoutBothTuplesIsMalformed() {
    NlWriter out = new NlWriter();
    ConntrackCodec.writeDelete(
        out, Tuple.of(6, Ip.parse("fd00::1"), 1, Ip.parse("fd00::2"), 2), 0, 0);

    assertThatThrownBy(() -> ConntrackCodec.readEntry(body(out)))
        .isInstanceOf(Malformed.class)
        .hasMessageContaining("tuple of each direction");
  }

  @Test
  void aTupleOfTwoFamiliesIsMalformed() {
    NlWriter out = new NlWriter();
    ConntrackCodec.begin(out, ConntrackCodec.NEW, 0, Optional.empty())
        .nest(Cta.TUPLE_ORIG)
        .nest(Cta.TUPLE_IP)
        .ip(Cta.IP_V4_SRC, Ip.parse("10.0.0.1"))
        .ip(Cta.IP_V6_DST, Ip.parse("fd00::1"))
        .unnest()
        .nest(Cta.TUPLE_PROTO)
        .u8(Cta.PROTO_NUM, 17)
        .unnest()
        .unnest()
        .end();

    assertThatThrownBy(() -> ConntrackCodec.readEntry(body(out)))
        .isInstanceOf(Malformed.class)
        .hasMessageContaining("two families");
  }

  @Test
  void tuplesRefuseWhatCannotBe() {
    Ip four = Ip.parse("10.0.0.1");
    assertThatThrownBy(() -> Tuple.of(17, four, 1, Ip.parse("fd00::1"), 2))
        .hasMessageContaining("two families");
    assertThatThrownBy(() -> new Transport.Ports(1, 1, 2)).hasMessageContaining("no ports");
    assertThatThrownBy(() -> new Transport.Query(17, 8, 0, 1)).hasMessageContaining("1 nor 58");
    assertThatThrownBy(() -> Tuple.of(17, four, 70_000, four, 1)).hasMessageContaining("70000");
  }

  @Test
  void aFilterMatchesByTheOriginalDestination() {
    ConntrackEntry entry =
        Connections.entry(
            Tuple.of(17, Ip.parse("10.1.0.5"), 4711, Ip.parse("10.96.0.10"), 53),
            Tuple.of(17, Ip.parse("10.1.0.9"), 5353, Ip.parse("10.1.0.5"), 4711));

    assertThat(ConntrackFilter.ALL.matches(entry)).isTrue();
    assertThat(ConntrackFilter.ofProtocol(17).matches(entry)).isTrue();
    assertThat(ConntrackFilter.ofProtocol(6).matches(entry)).isFalse();
    assertThat(ConntrackFilter.to(17, Ip.parse("10.96.0.10"), 53).matches(entry)).isTrue();
    assertThat(ConntrackFilter.to(17, Ip.parse("10.96.0.10"), 54).matches(entry)).isFalse();
    assertThat(ConntrackFilter.to(17, Ip.parse("10.96.0.11"), 53).matches(entry)).isFalse();
  }

  private static NlReader body(NlWriter out) {
    return new NlReader(out.toBytes(), Netlink.HEADER, out.size());
  }

  private static ConntrackEntry randomEntry(Random random) {
    boolean four = random.nextBoolean();
    int kind = random.nextInt(3);
    Tuple original = randomTuple(random, four, kind);
    Tuple reply = randomTuple(random, four, kind);
    return new ConntrackEntry(
        original,
        reply,
        random.nextInt(3) == 0 ? random.nextInt(0x10000) : 0,
        random.nextInt(),
        random.nextInt(3) == 0 ? random.nextInt() : 0,
        random.nextInt() & 0xffffffffL,
        random.nextBoolean()
            ? Optional.of(TcpState.values()[random.nextInt(TcpState.values().length)])
            : Optional.empty(),
        Optional.empty(),
        0);
  }

  private static Tuple randomTuple(Random random, boolean four, int kind) {
    Ip source = randomIp(random, four);
    Ip destination = randomIp(random, four);
    Transport transport =
        switch (kind) {
          case 0 ->
              new Transport.Ports(
                  new int[] {6, 17, 132, 33, 136}[random.nextInt(5)],
                  random.nextInt(0x10000),
                  random.nextInt(0x10000));
          case 1 ->
              new Transport.Query(
                  four ? 1 : 58, random.nextInt(256), random.nextInt(256), random.nextInt(0x10000));
          default -> new Transport.Plain(new int[] {2, 50, 89, 255}[random.nextInt(4)]);
        };
    return new Tuple(source, destination, transport, random.nextInt(4) == 0 ? 9 : 0);
  }

  private static Ip randomIp(Random random, boolean four) {
    return four ? Ip.v4(random.nextInt()) : Ip.v6(random.nextLong(), random.nextLong());
  }
}
