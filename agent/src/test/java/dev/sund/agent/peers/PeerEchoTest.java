package dev.sund.agent.peers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.model.Ip;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who is answered, and how often. */
class PeerEchoTest {
  private static final long SECOND = Duration.ofSeconds(1).toNanos();
  private static final long NOW = 1_000 * SECOND;
  private static final Predicate<Ip> KNOWN = _ -> true;
  private static final int LIMIT = 256;
  private static final int PATIENCE_MILLIS = 20_000;
  private static final int MOMENT_MILLIS = 50;

  /** Fewer than a socket's buffer holds. */
  private static final int ONCE = 100;

  private final ByteBuffer buffer = ByteBuffer.allocate(64);
  private Selector selector;
  private PeerEcho echo;
  private DatagramSocket asker;

  @BeforeEach
  void opened() throws Exception {
    selector = Selector.open();
  }

  private void at(String address) throws Exception {
    echo = PeerEcho.open(Ip.parse(address), 0, selector);
    asker = new DatagramSocket(new InetSocketAddress(InetAddress.getByName(address), 0));
    asker.setSoTimeout(PATIENCE_MILLIS);
    asker.setReceiveBufferSize(1 << 20); // holds all answers of a second
    DatagramChannel channel = (DatagramChannel) selector.keys().iterator().next().channel();
    asker.connect(channel.getLocalAddress());
  }

  @AfterEach
  void closed() throws Exception {
    asker.close();
    echo.close();
    selector.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "::1"})
  void aFloodIsAnswered256TimesASecond(String address) throws Exception {
    at(address);
    int answered = 0;
    for (int i = 0; i < 5; i++) {
      ask(ONCE);
      answered += answers(NOW + i, Math.min(ONCE, LIMIT - answered));
    }
    assertThat(answered).isEqualTo(LIMIT);
    for (int i = 0; i < answered; i++) {
      assertThat(heard()).isEqualTo(new PeerMessage(true, 7, i % ONCE));
    }

    ask(ONCE);
    assertThat(answers(NOW + SECOND - 1, 0)).as("in the same second").isZero();
    ask(ONCE);
    assertThat(answers(NOW + SECOND, ONCE)).as("in the next").isBetween(ONCE, LIMIT);
  }

  @Test
  void onlyQuestionsOfNodesAreAnswered() throws Exception {
    at("127.0.0.1");
    ask(3);
    assertThat(answers(NOW, 0, _ -> false)).isZero();
    send(new PeerMessage(true, 7, 0)); // an answer: two agents would not stop
    assertThat(answers(NOW, 0)).isZero();
    asker.send(new DatagramPacket(new byte[PeerMessage.LENGTH], PeerMessage.LENGTH));
    assertThat(answers(NOW, 0)).isZero();

    send(new PeerMessage(false, 7, 9));
    assertThat(answers(NOW, 1)).isEqualTo(1);
    assertThat(heard()).isEqualTo(new PeerMessage(true, 7, 9));
  }

  private void ask(int questions) throws Exception {
    for (int i = 0; i < questions; i++) {
      send(new PeerMessage(false, 7, i));
    }
  }

  private void send(PeerMessage message) throws Exception {
    ByteBuffer bytes = ByteBuffer.allocate(PeerMessage.LENGTH);
    message.write(bytes);
    asker.send(new DatagramPacket(bytes.array(), PeerMessage.LENGTH));
  }

  private PeerMessage heard() throws Exception {
    DatagramPacket packet = new DatagramPacket(new byte[64], 64);
    asker.receive(packet);
    return PeerMessage.read(ByteBuffer.wrap(packet.getData(), 0, packet.getLength())).orElseThrow();
  }

  private int answers(long now, int atLeast) throws Exception {
    return answers(now, atLeast, KNOWN);
  }

  /**
   * How many questions are answered: at least so many, and what is still to be read when nothing
   * came for a moment.
   */
  private int answers(long now, int atLeast, Predicate<Ip> known) throws Exception {
    int answered = 0;
    while (selector.select(answered < atLeast ? PATIENCE_MILLIS : MOMENT_MILLIS) > 0) {
      selector.selectedKeys().clear();
      answered += echo.answer(buffer, known, now);
    }
    return answered;
  }
}
