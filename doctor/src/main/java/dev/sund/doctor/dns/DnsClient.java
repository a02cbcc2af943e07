package dev.sund.doctor.dns;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.PortUnreachableException;
import java.net.ProtocolFamily;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Asks DNS servers from inside a network namespace. Several questions at once go out by one socket
 * one behind the other, as C libraries do it: it is what makes the kernel's table of connections
 * lose one of two. On platform threads only.
 */
public final class DnsClient {
  private static final int PORT = 53;
  private static final int MOST_BYTES = 65_535;
  private static final List<String> CODES =
      List.of("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED");

  private final NetNs namespace;
  private final Duration patience;
  private final RandomGenerator random = RandomGeneratorFactory.getDefault().create();

  /**
   * A client.
   *
   * @param namespace in which it asks
   * @param patience how long an answer is waited for
   */
  public DnsClient(NetNs namespace, Duration patience) {
    this.namespace = namespace;
    this.patience = patience;
  }

  /** What is asked for. */
  public enum Type {
    /** Addresses of IPv4. */
    A(1),
    /** Addresses of IPv6. */
    AAAA(28);

    private final int number;

    Type(int number) {
      this.number = number;
    }
  }

  /**
   * What came of a question.
   *
   * @param outcome the answer's code ({@code NOERROR}, {@code NXDOMAIN}, ...); or {@code timeout},
   *     {@code refused}, {@code unreachable}, {@code failed}
   * @param micros until the answer, or until it was given up
   * @param answers how many records
   * @param truncated whether there is more than fits a datagram
   */
  public record Answer(String outcome, long micros, int answers, boolean truncated) {
    /** Whether the server answered, whatever it said. */
    public boolean came() {
      return outcome.equals(outcome.toUpperCase(Locale.ROOT));
    }

    private static Answer none(String outcome, long begun) {
      return new Answer(outcome, (System.nanoTime() - begun) / 1_000, 0, false);
    }
  }

  /**
   * Asks by UDP; each question once.
   *
   * @return an answer for each type, in their order
   * @throws KernelException when the namespace cannot be entered
   */
  public List<Answer> udp(Ip server, String name, List<Type> types) throws KernelException {
    long begun = System.nanoTime();
    Answer[] answers = new Answer[types.size()];
    String failed = "timeout";
    int first = random.nextInt(1 << 16);
    try (DatagramChannel socket = namespace.call(() -> DatagramChannel.open(family(server)));
        Selector selector = Selector.open()) {
      socket.configureBlocking(false);
      socket.register(selector, SelectionKey.OP_READ);
      socket.connect(address(server));
      begun = System.nanoTime(); // what it takes to be ready is not the server's
      for (int i = 0; i < types.size(); i++) {
        int id = (first + i) & 0xffff;
        socket.write(ByteBuffer.wrap(DnsMessage.question(id, name, types.get(i).number)));
      }
      ByteBuffer buffer = ByteBuffer.allocate(MOST_BYTES);
      int open = types.size();
      while (open > 0) {
        long left = patience.toMillis() - (System.nanoTime() - begun) / 1_000_000;
        if (left <= 0) {
          break;
        }
        selector.select(left);
        selector.selectedKeys().clear();
        buffer.clear();
        if (socket.read(buffer) > 0) {
          int which = take(buffer.flip(), first, answers, begun);
          open -= which;
        }
      }
    } catch (KernelException e) {
      throw e;
    } catch (IOException e) {
      failed = word(e);
    }
    List<Answer> all = new ArrayList<>();
    for (Answer answer : answers) {
      all.add(answer == null ? Answer.none(failed, begun) : answer);
    }
    return all;
  }

  private static int take(ByteBuffer message, int first, Answer[] answers, long begun) {
    DnsMessage.Said said = DnsMessage.said(message).orElse(null);
    int which = said == null ? -1 : (said.id() - first) & 0xffff;
    if (said == null || which < 0 || which >= answers.length || answers[which] != null) {
      return 0; // somebody else's, or the same once more
    }
    answers[which] = answer(said, begun);
    return 1;
  }

  /**
   * Asks by TCP.
   *
   * @throws KernelException when the namespace cannot be entered
   */
  public Answer tcp(Ip server, String name, Type type) throws KernelException {
    long begun = System.nanoTime();
    try (SocketChannel channel = namespace.call(() -> SocketChannel.open(family(server)))) {
      int millis = Math.toIntExact(patience.toMillis());
      channel.socket().connect(address(server), millis);
      channel.socket().setSoTimeout(millis);
      byte[] question = DnsMessage.question(random.nextInt(1 << 16), name, type.number);
      channel
          .socket()
          .getOutputStream()
          .write(
              ByteBuffer.allocate(question.length + 2)
                  .putShort((short) question.length)
                  .put(question)
                  .array());
      DataInputStream in = new DataInputStream(channel.socket().getInputStream());
      byte[] message = new byte[in.readUnsignedShort()];
      in.readFully(message);
      return DnsMessage.said(ByteBuffer.wrap(message))
          .map(said -> answer(said, begun))
          .orElseGet(() -> Answer.none("failed", begun));
    } catch (KernelException e) {
      throw e;
    } catch (IOException e) {
      return Answer.none(word(e), begun);
    }
  }

  private static Answer answer(DnsMessage.Said said, long begun) {
    String code = said.code() < CODES.size() ? CODES.get(said.code()) : "CODE" + said.code();
    return new Answer(code, (System.nanoTime() - begun) / 1_000, said.answers(), said.truncated());
  }

  private static String word(IOException e) {
    return switch (e) {
      case SocketTimeoutException _ -> "timeout";
      case PortUnreachableException _ -> "refused";
      case ConnectException refused when String.valueOf(refused.getMessage()).contains("refused") ->
          "refused";
      case NoRouteToHostException _ -> "unreachable";
      case EOFException _ -> "closed";
      default -> String.valueOf(e.getMessage()).contains("nreachable") ? "unreachable" : "failed";
    };
  }

  private static ProtocolFamily family(Ip server) {
    return server.family() == Family.V4
        ? StandardProtocolFamily.INET
        : StandardProtocolFamily.INET6;
  }

  private static InetSocketAddress address(Ip server) throws IOException {
    return new InetSocketAddress(InetAddress.getByAddress(server.toBytes()), PORT);
  }
}
