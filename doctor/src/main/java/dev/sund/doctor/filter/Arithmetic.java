package dev.sund.doctor.filter;

import dev.sund.doctor.filter.Value.Operation;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Comparisons of numbers: {@code tcp[tcpflags] & tcp-syn != 0}, {@code len > 1000}, {@code ip[2:2]
 * >= 576}. A number that is read from a protocol's header asks first whether the packet has it.
 */
final class Arithmetic {
  private static final Map<String, Integer> NAMES = names();

  /** Signs by how tightly they bind, loosest first. */
  private static final List<Map<String, Operation>> LEVELS =
      List.of(
          Map.of("|", Operation.OR, "^", Operation.XOR),
          Map.of("&", Operation.AND),
          Map.of("<<", Operation.LSH, ">>", Operation.RSH),
          Map.of("+", Operation.ADD, "-", Operation.SUB),
          Map.of("*", Operation.MUL, "/", Operation.DIV, "%", Operation.MOD));

  private final FilterWords words;
  private final Primitives primitives;
  private Optional<Condition> asked = Optional.empty();

  Arithmetic(FilterWords words, Primitives primitives) {
    this.words = words;
    this.primitives = primitives;
  }

  /** Whether this word is a number's name. */
  static boolean isName(String word) {
    return NAMES.containsKey(word);
  }

  /** Whether this word stands between two numbers. */
  static boolean isSign(String word) {
    return List.of("<", ">", "<=", ">=", "=", "==", "!=").contains(word)
        || LEVELS.stream().anyMatch(level -> level.containsKey(word));
  }

  /** A whole comparison, from its first word on. */
  Condition comparison() throws FilterSyntaxException {
    Value left = value(0);
    Optional<Condition> ofLeft = asked;
    asked = Optional.empty();
    String sign = words.peek();
    if (!List.of("<", ">", "<=", ">=", "=", "==", "!=").contains(sign)) {
      throw words.fault("expected a comparison (= != < > <= >=)" + words.found());
    }
    words.take();
    Value right = value(0);
    Optional<Condition> ofRight = asked;
    asked = Optional.empty();
    Condition compared =
        switch (sign) {
          case ">" -> new Condition.Compare(left, Condition.Relation.GREATER, right);
          case ">=" -> new Condition.Compare(left, Condition.Relation.AT_LEAST, right);
          case "<" ->
              new Condition.Not(new Condition.Compare(left, Condition.Relation.AT_LEAST, right));
          case "<=" ->
              new Condition.Not(new Condition.Compare(left, Condition.Relation.GREATER, right));
          case "!=" ->
              new Condition.Not(new Condition.Compare(left, Condition.Relation.EQUAL, right));
          default -> new Condition.Compare(left, Condition.Relation.EQUAL, right);
        };
    Condition whole = ofRight.map(has -> has.and(compared)).orElse(compared);
    return ofLeft.map(has -> has.and(whole)).orElse(whole);
  }

  private Value value(int level) throws FilterSyntaxException {
    if (level == LEVELS.size()) {
      return single();
    }
    Value value = value(level + 1);
    while (true) {
      Operation operation = LEVELS.get(level).get(words.peek());
      if (operation == null) {
        return value;
      }
      words.take();
      value = computed(operation, value, value(level + 1));
    }
  }

  private Value computed(Operation operation, Value left, Value right)
      throws FilterSyntaxException {
    boolean divides = operation == Operation.DIV || operation == Operation.MOD;
    if (right instanceof Value.Constant(int constant)) {
      if (divides && constant == 0) {
        throw words.faultBefore("nothing can be divided by 0");
      }
      if (left instanceof Value.Constant(int first)) {
        return new Value.Constant(folded(operation, first, constant));
      }
      if ((operation == Operation.LSH || operation == Operation.RSH)
          && (constant < 0 || constant > 31)) {
        throw words.faultBefore("a number of 32 bits cannot be shifted by " + constant);
      }
    }
    return new Value.Compute(operation, left, right);
  }

  private static int folded(Operation operation, int left, int right) {
    return switch (operation) {
      case ADD -> left + right;
      case SUB -> left - right;
      case MUL -> left * right;
      case DIV -> Integer.divideUnsigned(left, right);
      case MOD -> Integer.remainderUnsigned(left, right);
      case AND -> left & right;
      case OR -> left | right;
      case XOR -> left ^ right;
      case LSH -> right < 0 || right > 31 ? 0 : left << right;
      case RSH -> right < 0 || right > 31 ? 0 : left >>> right;
    };
  }

  private Value single() throws FilterSyntaxException {
    if (words.took("-")) {
      Value value = single();
      return value instanceof Value.Constant(int constant)
          ? new Value.Constant(-constant)
          : new Value.Compute(Operation.SUB, new Value.Constant(0), value);
    }
    if (words.took("(")) {
      Value value = value(0);
      words.expect(")");
      return value;
    }
    String word = words.take().toLowerCase(Locale.ROOT);
    if (word.equals("len") || word.equals("length")) {
      return new Value.Length();
    }
    Integer named = NAMES.get(word);
    if (named != null) {
      return new Value.Constant(named);
    }
    if (Character.isDigit(word.charAt(0))) {
      return new Value.Constant(number(word));
    }
    if (words.peek().equals("[")) {
      return header(word);
    }
    throw words.faultBefore("'" + word + "' is no number");
  }

  /** {@code tcp[13]}, {@code ip[2:2]}: the bytes, and in {@link #asked} that they are there. */
  private Value header(String protocol) throws FilterSyntaxException {
    words.expect("[");
    Optional<Condition> before = asked;
    asked = Optional.empty();
    Value index = value(0);
    Optional<Condition> ofIndex = asked;
    int size = 1;
    if (words.took(":")) {
      size = number(words.take());
      if (size != 1 && size != 2 && size != 4) {
        throw words.faultBefore("1, 2 or 4 bytes can be read, and not " + size);
      }
    }
    words.expect("]");
    int network = primitives.network();
    Optional<Integer> number = FilterParser.protocolNumber(protocol);
    Condition has;
    Value value;
    if (protocol.equals("ether") || protocol.equals("link")) {
      has = new Condition.Always(true);
      value = load(Value.Base.START, 0, index, size);
    } else if (FilterParser.linkNumber(protocol).isPresent()) {
      has = primitives.linkType(FilterParser.linkNumber(protocol).get());
      value = load(Value.Base.START, network, index, size);
    } else if (protocol.equals("icmp6")) {
      has = primitives.v6().and(Condition.equal(Value.at(network + 6, 1), Primitives.ICMPV6));
      value = load(Value.Base.START, network + 40, index, size);
    } else if (number.isPresent()) {
      has = primitives.overV4(number.get()).and(primitives.beginsPacket());
      value = load(Value.Base.BEHIND_V4, 0, index, size);
    } else {
      throw words.faultBefore("'" + protocol + "' has no header whose bytes could be read");
    }
    asked = before;
    ofIndex.ifPresent(this::ask);
    if (!has.equals(new Condition.Always(true))) {
      ask(has);
    }
    return value;
  }

  private void ask(Condition condition) {
    asked = Optional.of(asked.map(one -> one.and(condition)).orElse(condition));
  }

  /** A constant index becomes part of the offset. */
  private Value load(Value.Base base, int offset, Value index, int size) {
    int header = base == Value.Base.BEHIND_V4 ? primitives.network() : 0;
    return index instanceof Value.Constant(int constant)
        ? new Value.Load(base, header, offset + constant, new Value.Constant(0), size)
        : new Value.Load(base, header, offset, index, size);
  }

  private int number(String word) throws FilterSyntaxException {
    Optional<Long> number = tryNumber(word);
    if (number.isEmpty()) {
      throw words.faultBefore("'" + word + "' is no number");
    }
    return (int) (long) number.get();
  }

  /** A number of at most 32 bits: {@code 80}, {@code 0x50}, {@code 0120}. */
  static Optional<Long> tryNumber(String word) {
    try {
      long number =
          word.matches("0[xX][0-9a-fA-F]{1,8}")
              ? Long.parseLong(word.substring(2), 16)
              : word.matches("0[0-7]{1,11}")
                  ? Long.parseLong(word, 8)
                  : word.matches("[0-9]{1,10}") ? Long.parseLong(word) : -1;
      return number >= 0 && number <= 0xffff_ffffL ? Optional.of(number) : Optional.empty();
    } catch (NumberFormatException _) {
      return Optional.empty();
    }
  }

  private static Map<String, Integer> names() {
    Map<String, Integer> names = new HashMap<>();
    String text =
        """
        icmptype 0 icmpcode 1 icmp6type 0 icmp6code 1 tcpflags 13
        icmp-echoreply 0 icmp-unreach 3 icmp-sourcequench 4 icmp-redirect 5 icmp-echo 8
        icmp-routeradvert 9 icmp-routersolicit 10 icmp-timxceed 11 icmp-paramprob 12
        icmp-tstamp 13 icmp-tstampreply 14 icmp-ireq 15 icmp-ireqreply 16 icmp-maskreq 17
        icmp-maskreply 18
        icmp6-destinationunreach 1 icmp6-packettoobig 2 icmp6-timeexceeded 3
        icmp6-parameterproblem 4 icmp6-echo 128 icmp6-echoreply 129
        icmp6-multicastlistenerquery 130 icmp6-multicastlistenerreportv1 131
        icmp6-multicastlistenerdone 132 icmp6-routersolicit 133 icmp6-routeradvert 134
        icmp6-neighborsolicit 135 icmp6-neighboradvert 136 icmp6-redirect 137
        tcp-fin 1 tcp-syn 2 tcp-rst 4 tcp-push 8 tcp-ack 16 tcp-urg 32 tcp-ece 64 tcp-cwr 128
        """;
    String[] words = text.strip().split("\\s+");
    for (int i = 0; i < words.length; i += 2) {
      names.put(words[i], Integer.parseInt(words[i + 1]));
    }
    return names;
  }
}
