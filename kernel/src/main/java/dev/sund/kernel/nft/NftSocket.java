package dev.sund.kernel.nft;

import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.netlink.Ack;
import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.netlink.Netlink;
import dev.sund.kernel.netlink.NetlinkSocket;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A socket to nf_tables of one namespace: transactions and listings.
 *
 * <p>A transaction is atomic: a packet sees the rule set before it or after it, and a process that
 * dies while it sends has changed nothing. What is committed stays when the socket is closed and
 * when the process dies.
 *
 * <pre>
 *   try (NftSocket nft = NftSocket.open(NetNs.named("node"))) {
 *     NftTable table = NftTable.of(NftFamily.INET, "demo", "");
 *     NftSet peers = NftSet.of(table, "peers", NftType.IPV4_ADDR);
 *     nft.commit(List.of(new CreateTable(table), new CreateSet(peers))).orThrow();
 *   }
 * </pre>
 *
 * <p>Usable from any platform thread, by one at a time. The caller closes it. Changes need
 * CAP_NET_ADMIN. Linux 5.10 or later: older kernels drop comments of tables, chains and sets.
 */
public final class NftSocket implements AutoCloseable {
  /**
   * A transaction is one send, so its size bounds it: 64 MiB is half a million elements. The number
   * is a limit and takes no memory.
   */
  private static final Buffers BUFFERS = new Buffers(64 << 20, 8 << 20, 64 << 10);

  private static final int CONSISTENT_TRIES = 20;

  private final NetlinkSocket socket;
  private final NlWriter out = new NlWriter();

  private NftSocket(NetlinkSocket socket) {
    this.socket = socket;
  }

  /** Opens a socket of {@code namespace}. */
  public static NftSocket open(NetNs namespace) throws KernelException {
    return new NftSocket(NetlinkSocket.open(Netlink.NETLINK_NETFILTER, namespace, BUFFERS));
  }

  /** Its number among the netlink sockets of its namespace; see {@link NftMonitor#openFor}. */
  public int port() {
    return socket.port();
  }

  // Transactions.

  /** Does all of {@code ops} in one transaction, in their order, or nothing. */
  public Commit commit(List<NftOp> ops) throws KernelException {
    return commit(ops, Optional.empty());
  }

  /**
   * As {@link #commit(List)}, unless somebody has committed since {@code generation}: then {@link
   * Commit.Stale}, and nothing has changed. NFNL_BATCH_GENID, Linux 4.12.
   */
  public Commit commitAt(int generation, List<NftOp> ops) throws KernelException {
    return commit(ops, Optional.of(generation));
  }

  private synchronized Commit commit(List<NftOp> ops, Optional<Integer> generation)
      throws KernelException {
    int last = ops.size() - 1;
    while (last >= 0 && ops.get(last).isEmpty()) {
      last--;
    }
    if (last < 0) {
      return new Commit.Done(0);
    }
    out.clear();
    NftCodec.writeBatchBegin(out, generation);
    NftCodec.SetIds setIds = new NftCodec.SetIds();
    int[] messagesUpTo = new int[ops.size()];
    for (int i = 0; i < ops.size(); i++) {
      NftCodec.write(out, ops.get(i), setIds, i == last);
      messagesUpTo[i] = out.count() - 1;
    }
    NftCodec.writeBatchEnd(out);
    int messages = out.count();
    if (out.size() > socket.sendLimit()) {
      throw new KernelException.Malformed(
          "transaction of " + ops.size() + " operations",
          "its "
              + out.size()
              + " bytes are more than the "
              + socket.sendLimit()
              + " that one send may carry");
    }
    Answers answers = new Answers(socket.send(out), messages, generation.isPresent());
    // The kernel works inside the send: all answers wait when it returns.
    while (socket.receive(false, answers)) {}
    return answers.verdict(ops, messagesUpTo);
  }

  /** The answers to one transaction. */
  private static final class Answers implements NetlinkSocket.RawSink {
    private final int first;
    private final int messages;
    private final boolean atGeneration;
    private final List<Integer> failedMessages = new ArrayList<>();
    private final List<Ack> failures = new ArrayList<>();
    private boolean acknowledged;

    Answers(int first, int messages, boolean atGeneration) {
      this.first = first;
      this.messages = messages;
      this.atGeneration = atGeneration;
    }

    @Override
    public void accept(int type, int flags, int sequence, NlReader body) throws KernelException {
      int message = sequence - first;
      if (type != Netlink.NLMSG_ERROR || message < 0 || message >= messages) {
        return;
      }
      Ack ack = NetlinkSocket.readAck(body, flags);
      if (ack.isDone()) {
        acknowledged = true;
      } else {
        failedMessages.add(message);
        failures.add(ack);
      }
    }

    Commit verdict(List<NftOp> ops, int[] messagesUpTo) throws KernelException {
      if (failures.isEmpty()) {
        if (!acknowledged) {
          throw new KernelException.Malformed(
              "answer to a transaction", "neither an error nor an acknowledgement came");
        }
        return new Commit.Done(messages);
      }
      List<Commit.Failure> refused = new ArrayList<>();
      for (int i = 0; i < failures.size(); i++) {
        Ack ack = failures.get(i);
        int message = failedMessages.get(i);
        if (message == 0 && atGeneration && ack.failedWith(Errno.ERESTART)) {
          return new Commit.Stale();
        }
        if (message == 0 || message == messages - 1) {
          refused.add(
              new Commit.Failure(
                  -1, ack.exception("commit nf_tables transaction", ops.size() + " operations")));
        } else {
          int index = Arrays.binarySearch(messagesUpTo, message);
          index = firstWith(messagesUpTo, index >= 0 ? index : -index - 1);
          refused.add(new Commit.Failure(index, exception(ack, ops, index)));
        }
      }
      return new Commit.Refused(refused);
    }

    /** An operation without messages shares its number with the one before: take the first. */
    private static int firstWith(int[] messagesUpTo, int index) {
      int first = index;
      while (first > 0 && messagesUpTo[first - 1] == messagesUpTo[index]) {
        first--;
      }
      return first;
    }

    private static KernelException exception(Ack ack, List<NftOp> ops, int index) {
      String text = ops.get(index).toString();
      return ack.exception("nf_tables operation " + (index + 1) + " of " + ops.size() + ",", text);
    }
  }

  // Listings.

  /** The number of the rule set in force. */
  public synchronized int generation() throws KernelException {
    NftCodec.begin(out.clear(), NftCodec.GETGEN, 0, 0, 0).end();
    int[] id = new int[1];
    socket
        .ask(
            out,
            (type, body) -> {
              if (type == NftCodec.NEWGEN) {
                id[0] = NftCodec.readGeneration(body).id();
              }
            })
        .orThrow("read", "nf_tables generation");
    return id[0];
  }

  /** All tables of the namespace. */
  public synchronized List<NftTable> tables() throws KernelException {
    NftCodec.begin(out.clear(), NftCodec.GETTABLE, 0, 0, 0).end();
    return list("list tables", NftCodec.NEWTABLE, NftCodec::readTable);
  }

  /** The table of this family and name, empty when there is none. */
  public synchronized Optional<NftTable> table(NftFamily family, String name)
      throws KernelException {
    NftCodec.begin(out.clear(), NftCodec.GETTABLE, 0, family.number(), 0).string(1, name).end();
    List<NftTable> found = new ArrayList<>();
    Ack ack =
        socket.ask(
            out,
            (type, body) -> {
              if (type == NftCodec.NEWTABLE) {
                found.add(NftCodec.readTable(body));
              }
            });
    if (ack.failedWith(Errno.ENOENT)) {
      return Optional.empty();
    }
    ack.orThrow("read table", family + " " + name);
    return found.stream().findFirst();
  }

  /** The chains of a table. */
  public synchronized List<NftChain> chains(NftFamily family, String table) throws KernelException {
    NftCodec.begin(out.clear(), NftCodec.GETCHAIN, 0, family.number(), 0).end();
    return list("list chains", NftCodec.NEWCHAIN, NftCodec::readChain).stream()
        .filter(chain -> chain.family() == family && chain.table().equals(table))
        .toList();
  }

  /** All chains of the namespace. */
  public synchronized List<NftChain> chains() throws KernelException {
    NftCodec.begin(out.clear(), NftCodec.GETCHAIN, 0, 0, 0).end();
    return list("list chains", NftCodec.NEWCHAIN, NftCodec::readChain);
  }

  /** The rules of a chain in their order. */
  public synchronized List<NftRule> rules(NftChain chain) throws KernelException {
    NftCodec.begin(out.clear(), NftCodec.GETRULE, 0, chain.family().number(), 0)
        .string(1, chain.table())
        .string(2, chain.name())
        .end();
    return list("list rules", NftCodec.NEWRULE, NftCodec::readRule).stream()
        .filter(rule -> rule.family() == chain.family() && rule.table().equals(chain.table()))
        .filter(rule -> rule.chain().equals(chain.name()))
        .toList();
  }

  /** The rules of a table, chain by chain, in their order. */
  public synchronized List<NftRule> rules(NftFamily family, String table) throws KernelException {
    NftCodec.begin(out.clear(), NftCodec.GETRULE, 0, family.number(), 0).string(1, table).end();
    return list("list rules", NftCodec.NEWRULE, NftCodec::readRule).stream()
        .filter(rule -> rule.family() == family && rule.table().equals(table))
        .toList();
  }

  /**
   * The sets and maps of a table, anonymous ones included.
   *
   * @throws KernelException.NotFound when there is no such table
   */
  public synchronized List<NftSet> sets(NftFamily family, String table) throws KernelException {
    NftCodec.begin(out.clear(), NftCodec.GETSET, 0, family.number(), 0).string(1, table).end();
    return list("list sets", NftCodec.NEWSET, NftCodec::readSet).stream()
        .filter(set -> set.family() == family && set.table().equals(table))
        .toList();
  }

  /**
   * The elements of a set, in no order.
   *
   * @throws KernelException.NotFound when there is no such set
   */
  public synchronized List<NftElement> elements(NftFamily family, String table, String set)
      throws KernelException {
    for (int i = 0; ; i++) {
      List<NftElement> elements = dumpedElements(family, table, set);
      // While a hash table grows, a dump in several parts shows some elements twice and in return
      // misses as many others; no generation tells of it.
      Set<Object> seen = new HashSet<>();
      if (elements.stream().allMatch(one -> seen.add(identity(one)))) {
        return elements;
      }
      if (i == CONSISTENT_TRIES) {
        throw new KernelException.DumpInterrupted(
            "list elements of " + family + " " + table + " " + set, CONSISTENT_TRIES);
      }
    }
  }

  private static Object identity(NftElement element) {
    return element.keyEnd().isEmpty() && !element.intervalEnd()
        ? element.key()
        : List.of(element.key(), element.keyEnd(), element.intervalEnd());
  }

  private List<NftElement> dumpedElements(NftFamily family, String table, String set)
      throws KernelException {
    NftCodec.begin(out.clear(), NftCodec.GETSETELEM, 0, family.number(), 0)
        .string(1, table)
        .string(2, set)
        .end();
    List<NftElement> elements = new ArrayList<>();
    socket.dump(
        "list elements of " + family + " " + table + " " + set,
        out,
        new NetlinkSocket.DumpSink() {
          @Override
          public void begin() {
            elements.clear();
          }

          @Override
          public void accept(int type, NlReader body) throws KernelException {
            if (type == NftCodec.NEWSETELEM) {
              NftCodec.readElements(body, elements);
            }
          }
        });
    return elements;
  }

  /**
   * What the elements of a set have counted, in no order. Packets go on being counted meanwhile.
   *
   * @throws KernelException.NotFound when there is no such set
   */
  public synchronized List<NftCount> counts(NftFamily family, String table, String set)
      throws KernelException {
    NftCodec.begin(out.clear(), NftCodec.GETSETELEM, 0, family.number(), 0)
        .string(1, table)
        .string(2, set)
        .end();
    Map<Bytes, NftCount> counts = new HashMap<>(); // a table that grows shows some twice
    socket.dump(
        "list counters of " + family + " " + table + " " + set,
        out,
        new NetlinkSocket.DumpSink() {
          @Override
          public void begin() {
            counts.clear();
          }

          @Override
          public void accept(int type, NlReader body) throws KernelException {
            if (type == NftCodec.NEWSETELEM) {
              List<NftCount> some = new ArrayList<>();
              NftCount.read(body, some);
              some.forEach(count -> counts.put(count.key(), count));
            }
          }
        });
    return List.copyOf(counts.values());
  }

  /**
   * A table with all that is in it, all parts of one generation; empty when there is no such table.
   * Elements of sets that rules add to ({@link NftSet#EVAL}) are left out: they come and go with
   * packets, see {@link #elements}.
   *
   * @throws KernelException.DumpInterrupted when others committed during each of 20 tries
   */
  public synchronized Optional<NftContents> contents(NftFamily family, String table)
      throws KernelException {
    for (int i = 0; i < CONSISTENT_TRIES; i++) {
      int before = generation();
      Optional<NftContents> contents;
      try {
        contents = contents(before, family, table);
      } catch (KernelException.NotFound e) {
        if (generation() == before) {
          throw e;
        }
        continue;
      }
      if (generation() == before) {
        return contents;
      }
    }
    throw new KernelException.DumpInterrupted("list table " + family + " " + table, 20);
  }

  private Optional<NftContents> contents(int generation, NftFamily family, String table)
      throws KernelException {
    Optional<NftTable> found = table(family, table);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    SortedMap<String, NftChain> chains = new TreeMap<>();
    SortedMap<String, List<NftRule>> rules = new TreeMap<>();
    SortedMap<String, NftSet> sets = new TreeMap<>();
    SortedMap<String, List<NftElement>> elements = new TreeMap<>();
    for (NftChain chain : chains(family, table)) {
      chains.put(chain.name(), chain);
      rules.put(chain.name(), new ArrayList<>());
    }
    for (NftRule rule : rules(family, table)) {
      rules.computeIfAbsent(rule.chain(), _ -> new ArrayList<>()).add(rule);
    }
    for (NftSet set : sets(family, table)) {
      sets.put(set.name(), set);
      elements.put(
          set.name(),
          (set.flags() & NftSet.EVAL) == 0 ? elements(family, table, set.name()) : List.of());
    }
    return Optional.of(new NftContents(generation, found.get(), chains, rules, sets, elements));
  }

  @Override
  public void close() {
    socket.close();
  }

  /** Decodes one message of a listing. */
  @FunctionalInterface
  private interface Decoder<T> {
    T decode(NlReader body) throws KernelException;
  }

  private <T> List<T> list(String operation, int wanted, Decoder<T> decoder)
      throws KernelException {
    List<T> found = new ArrayList<>();
    socket.dump(
        operation,
        out,
        new NetlinkSocket.DumpSink() {
          @Override
          public void begin() {
            found.clear();
          }

          @Override
          public void accept(int type, NlReader body) throws KernelException {
            if (type == wanted) {
              found.add(decoder.decode(body));
            }
          }
        });
    return found;
  }
}
