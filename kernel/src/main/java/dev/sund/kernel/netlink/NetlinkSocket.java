package dev.sund.kernel.netlink;

import static dev.sund.kernel.netlink.Netlink.HEADER;
import static dev.sund.kernel.netlink.Netlink.NLMSG_DONE;
import static dev.sund.kernel.netlink.Netlink.NLMSG_ERROR;
import static dev.sund.kernel.netlink.Netlink.NLMSG_NOOP;
import static dev.sund.kernel.netlink.Netlink.NLM_F_ACK;
import static dev.sund.kernel.netlink.Netlink.NLM_F_DUMP;
import static dev.sund.kernel.netlink.Netlink.NLM_F_DUMP_INTR;

import dev.sund.kernel.Capability;
import dev.sund.kernel.Errno;
import dev.sund.kernel.Fd;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A netlink socket that asks: requests with their acknowledgements, and listings.
 *
 * <p>Opened in a namespace and bound to it for good; usable from any platform thread, by one at a
 * time (calls from several threads wait for each other). The caller closes it. Changing anything
 * needs CAP_NET_ADMIN in the namespace's user namespace.
 */
public final class NetlinkSocket implements AutoCloseable {
  /** How often a listing that changed while it was read is read again. */
  public static final int DUMP_TRIES = 20;

  /** The kernel answers within the send; a longer silence means that an answer was lost. */
  private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(30);

  /** The most bytes in one send of {@link #request}: larger ones only make the buffers larger. */
  private static final int CHUNK_BYTES = 256 << 10;

  /** What the kernel counts for a waiting error message, with room to spare. */
  private static final int ANSWER_BYTES = 2048;

  private final NetlinkChannel channel;
  private int sequence;
  private boolean inCall;

  /** Takes the entries of a listing. */
  @FunctionalInterface
  public interface DumpSink {
    /** A listing begins: at first, and again when one was interrupted. Forget what came before. */
    default void begin() {}

    /**
     * Takes one entry. {@code body} is valid during this call; the socket may not be used in it.
     */
    void accept(int type, NlReader body) throws KernelException;
  }

  /** Takes each message of a datagram, with its sequence number. */
  @FunctionalInterface
  public interface RawSink {
    /** Takes one message; {@code body} is valid during this call. */
    void accept(int type, int flags, int sequence, NlReader body) throws KernelException;
  }

  private NetlinkSocket(NetlinkChannel channel) {
    this.channel = channel;
  }

  /** As {@link #open(int, NetNs, Buffers)} with {@link Buffers#DEFAULT}. */
  public static NetlinkSocket open(int protocol, NetNs namespace) throws KernelException {
    return open(protocol, namespace, Buffers.DEFAULT);
  }

  /**
   * Opens a socket of {@code protocol} in {@code namespace}. Buffers beyond the system's limits
   * need CAP_NET_ADMIN; without it they are as large as the limits allow.
   *
   * @param protocol such as {@link Netlink#NETLINK_ROUTE}
   */
  public static NetlinkSocket open(int protocol, NetNs namespace, Buffers buffers)
      throws KernelException {
    return over(NetlinkChannel.open(protocol, namespace, buffers));
  }

  /**
   * As {@link #open(int, NetNs, Buffers)}, after {@code first} has run in the namespace, in the
   * same visit.
   *
   * @param entered the namespace, held open
   */
  public static NetlinkSocket open(
      int protocol, NetNs namespace, Fd entered, Runnable first, Buffers buffers)
      throws KernelException {
    return over(NetlinkChannel.open(protocol, namespace, entered, first, buffers));
  }

  private static NetlinkSocket over(NetlinkChannel channel) throws KernelException {
    try {
      channel.receiveTimeout(ANSWER_TIMEOUT);
    } catch (KernelException | RuntimeException e) {
      channel.close();
      throw e;
    }
    return new NetlinkSocket(channel);
  }

  /**
   * By which number the kernel knows this socket in its namespace: who is told of a change that was
   * made by it finds this number in the message.
   */
  public int port() {
    return channel.port();
  }

  /**
   * Sends all messages of {@code batch}, in as few sends as the buffers allow, and waits until the
   * kernel has done or refused each. Later ones are tried although earlier ones failed.
   *
   * @return one answer a message, in order
   * @throws KernelException when the answers themselves are lost; then what was done is unknown
   */
  public synchronized List<Ack> request(NlWriter batch) throws KernelException {
    requireComplete(batch);
    Ack[] answers = new Ack[batch.count()];
    Arrays.fill(answers, Ack.DONE);
    int most = Math.max(1, channel.receiveLimit() / ANSWER_BYTES);
    int bytes = Math.min(CHUNK_BYTES, channel.sendLimit() / 2);
    try (Call _ = new Call()) {
      for (int from = 0; from < batch.count(); ) {
        int to = from + 1;
        while (to < batch.count()
            && to - from < most
            && batch.offset(to + 1) - batch.offset(from) <= bytes) {
          to++;
        }
        exchange(batch, from, to, answers);
        from = to;
      }
    }
    return Arrays.asList(answers);
  }

  /**
   * Sends one request and hands the messages that answer it to {@code replies}.
   *
   * @return the acknowledgement that follows them
   */
  public synchronized Ack ask(NlWriter request, DumpSink replies) throws KernelException {
    requireComplete(request);
    if (request.count() != 1) {
      throw new IllegalArgumentException("one request is asked, not " + request.count());
    }
    try (Call _ = new Call()) {
      int mine = ++sequence;
      request.number(0, mine, NLM_F_ACK);
      channel.send(request.data(), 0, request.size());
      replies.begin();
      KernelException failure = null;
      while (true) {
        int length = receive();
        byte[] data = channel.data();
        for (int at = 0; length - at >= HEADER; ) {
          int messageLength = NlReader.messageLength(data, at, length);
          if (NlReader.messageSequence(data, at) == mine) {
            int type = NlReader.messageType(data, at);
            NlReader body = new NlReader(data, at + HEADER, at + messageLength);
            if (type == NLMSG_ERROR) {
              Ack answer = readAck(body, NlReader.messageFlags(data, at));
              if (failure != null) {
                throw failure;
              }
              return answer;
            }
            if (type != NLMSG_NOOP && failure == null) {
              try {
                replies.accept(type, body);
              } catch (KernelException e) {
                failure =
                    e; // read on to the acknowledgement, so that the next request is not mixed
              }
            }
          }
          at += Netlink.align(messageLength);
        }
      }
    }
  }

  /**
   * Reads a listing; again from the beginning when it changed meanwhile, at most {@link
   * #DUMP_TRIES} times in all.
   *
   * @param operation what it is, for errors: {@code list routes}
   * @param request one message; NLM_F_DUMP is added
   * @param sink takes the entries; its {@code begin} tells when to forget what came before
   * @throws KernelException.DumpInterrupted when it changed at each try
   */
  public synchronized void dump(String operation, NlWriter request, DumpSink sink)
      throws KernelException {
    requireComplete(request);
    if (request.count() != 1) {
      throw new IllegalArgumentException("one request is asked, not " + request.count());
    }
    try (Call _ = new Call()) {
      for (int i = 0; i < DUMP_TRIES; i++) {
        sink.begin();
        if (dumpOnce(operation, request, sink)) {
          return;
        }
      }
    }
    throw new KernelException.DumpInterrupted(operation, DUMP_TRIES);
  }

  /**
   * Numbers the messages and sends them all in one send, without asking for acknowledgements and
   * without waiting: for protocols whose answers do not come one a message, such as nf_tables'
   * batches. {@link #receive} then reads the answers.
   *
   * @return the first message's sequence number; the others follow
   */
  public synchronized int send(NlWriter batch) throws KernelException {
    requireComplete(batch);
    int first = sequence + 1;
    for (int i = 0; i < batch.count(); i++) {
      batch.number(i, ++sequence, 0);
    }
    channel.send(batch.data(), 0, batch.size());
    return first;
  }

  /**
   * Receives one datagram and hands each of its messages to {@code sink}.
   *
   * @param wait whether to wait for it
   * @return false when none is there, or none came in 30 seconds
   * @throws KernelException.NoSpace when answers were lost because too many waited
   */
  public synchronized boolean receive(boolean wait, RawSink sink) throws KernelException {
    try (Call _ = new Call()) {
      int length = channel.receive(wait, () -> true);
      if (Errno.EAGAIN.is(length)) {
        return false;
      }
      Errno.check(length, "receive from", channel.toString());
      byte[] data = channel.data();
      for (int at = 0; length - at >= HEADER; ) {
        int messageLength = NlReader.messageLength(data, at, length);
        sink.accept(
            NlReader.messageType(data, at),
            NlReader.messageFlags(data, at),
            NlReader.messageSequence(data, at),
            new NlReader(data, at + HEADER, at + messageLength));
        at += Netlink.align(messageLength);
      }
      return true;
    }
  }

  /** The bytes that one {@link #send} may carry. */
  public int sendLimit() {
    return channel.sendLimit() - 32; // netlink_sendmsg keeps 32 for itself
  }

  /** Reads the body of an NLMSG_ERROR message. */
  public static Ack readAck(NlReader body, int flags) throws KernelException {
    int errno = -body.takeU32();
    if (errno < 0) {
      throw new KernelException.Malformed("acknowledgement", "a positive error " + -errno);
    }
    String text = "";
    int offset = 0;
    if ((flags & Netlink.NLM_F_ACK_TLVS) != 0) {
      int requestLength = body.takeU32();
      body.skip(HEADER - 4);
      if ((flags & Netlink.NLM_F_CAPPED) == 0) {
        body.skip(Netlink.align(Math.max(0, requestLength - HEADER)));
      }
      while (body.next()) {
        switch (body.type()) {
          case Netlink.NLMSGERR_ATTR_MSG -> text = body.string();
          case Netlink.NLMSGERR_ATTR_OFFS -> offset = body.u32();
          default -> {} // cookie, policy: of no use to us
        }
      }
    }
    return errno == 0 && text.isEmpty() ? Ack.DONE : new Ack(errno, text, offset);
  }

  /** Closes the socket. */
  @Override
  public synchronized void close() {
    channel.close();
  }

  @Override
  public String toString() {
    return channel.toString();
  }

  /**
   * One send. Only its last message asks for an acknowledgement: errors come without asking, and
   * the kernel works in order, so that the last answer says that all are through.
   */
  private void exchange(NlWriter batch, int from, int to, Ack[] answers) throws KernelException {
    int first = sequence + 1;
    for (int i = from; i < to; i++) {
      batch.number(i, ++sequence, i == to - 1 ? NLM_F_ACK : 0);
    }
    channel.send(batch.data(), batch.offset(from), batch.offset(to));
    boolean more = true;
    while (more) {
      int length = receive();
      byte[] data = channel.data();
      for (int at = 0; length - at >= HEADER; ) {
        int messageLength = NlReader.messageLength(data, at, length);
        int index = NlReader.messageSequence(data, at) - first;
        if (NlReader.messageType(data, at) == NLMSG_ERROR && index >= 0 && index < to - from) {
          answers[from + index] =
              readAck(
                  new NlReader(data, at + HEADER, at + messageLength),
                  NlReader.messageFlags(data, at));
          more &= index != to - from - 1;
        }
        at += Netlink.align(messageLength);
      }
    }
  }

  private boolean dumpOnce(String operation, NlWriter request, DumpSink sink)
      throws KernelException {
    int mine = ++sequence;
    request.number(0, mine, NLM_F_DUMP);
    channel.send(request.data(), 0, request.size());
    boolean interrupted = false;
    KernelException failure = null;
    while (true) {
      int length = receive();
      byte[] data = channel.data();
      for (int at = 0; length - at >= HEADER; ) {
        int messageLength = NlReader.messageLength(data, at, length);
        if (NlReader.messageSequence(data, at) == mine) {
          int type = NlReader.messageType(data, at);
          int flags = NlReader.messageFlags(data, at);
          interrupted |= (flags & NLM_F_DUMP_INTR) != 0;
          NlReader body = new NlReader(data, at + HEADER, at + messageLength);
          if (type == NLMSG_ERROR || type == NLMSG_DONE) {
            int errno =
                type == NLMSG_DONE
                    ? (body.remaining() >= 4 ? -body.takeU32() : 0)
                    : readAck(body, flags).errno();
            if (errno == Errno.EINTR.number() || errno == Errno.EAGAIN.number()) {
              interrupted = true;
            } else if (errno != 0) {
              throw Errno.exception(
                  operation, "", errno, doneText(type, flags, body), Capability.NET_ADMIN);
            }
            if (failure != null && !interrupted) {
              throw failure;
            }
            return !interrupted;
          }
          if (type != NLMSG_NOOP && failure == null && !interrupted) {
            try {
              sink.accept(type, body);
            } catch (KernelException e) {
              failure = e; // the rest must be read, or the socket stays busy with this listing
            }
          }
        }
        at += Netlink.align(messageLength);
      }
    }
  }

  private static String doneText(int type, int flags, NlReader body) throws KernelException {
    String text = "";
    if (type == NLMSG_DONE && (flags & Netlink.NLM_F_ACK_TLVS) != 0) {
      while (body.next()) {
        if (body.type() == Netlink.NLMSGERR_ATTR_MSG) {
          text = body.string();
        }
      }
    }
    return text;
  }

  private int receive() throws KernelException {
    int length = channel.receive(true, () -> true);
    if (Errno.EAGAIN.is(length)) {
      throw Errno.exception(
          "receive from",
          channel.toString(),
          Errno.ETIMEDOUT.number(),
          "no answer in " + ANSWER_TIMEOUT.toSeconds() + " s",
          Capability.NET_ADMIN);
    }
    return Errno.check(length, "receive from", channel.toString());
  }

  private static void requireComplete(NlWriter batch) {
    if (!batch.isComplete()) {
      throw new IllegalStateException("end() the last message");
    }
  }

  /** Makes a call from inside a sink fail instead of overwriting what the sink reads. */
  private final class Call implements AutoCloseable {
    Call() {
      if (inCall) {
        throw new IllegalStateException("the socket may not be used inside its own sink");
      }
      inCall = true;
    }

    @Override
    public void close() {
      inCall = false;
    }
  }

  /** The answers that are no success, with their indexes; for messages and tests. */
  public static List<Integer> failures(List<Ack> answers) {
    List<Integer> failed = new ArrayList<>();
    for (int i = 0; i < answers.size(); i++) {
      if (!answers.get(i).isDone()) {
        failed.add(i);
      }
    }
    return failed;
  }
}
