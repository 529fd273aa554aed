package luciola.meta.server;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.function.BiConsumer;

/** A stream of questions of another meta-server; answers come in any order, from any thread. */
final class Asked<Q, A> implements StreamObserver<Q> {
  private final ServerCallStreamObserver<A> replies;
  private final StreamObserver<A> answers = new OneAtATime();
  private final BiConsumer<Q, StreamObserver<A>> answering;

  Asked(StreamObserver<A> observer, BiConsumer<Q, StreamObserver<A>> answering) {
    this.replies = (ServerCallStreamObserver<A>) observer;
    this.answering = answering;
    replies.setOnCancelHandler(() -> {});
  }

  @Override
  public void onNext(Q question) {
    answering.accept(question, answers);
  }

  @Override
  public void onError(Throwable gone) {
    // Whoever asked is gone; what is still answered goes nowhere.
  }

  @Override
  public void onCompleted() {
    answers.onCompleted();
  }

  private final class OneAtATime implements StreamObserver<A> {
    private boolean ended;

    @Override
    public synchronized void onNext(A answer) {
      if (!ended && !replies.isCancelled()) {
        replies.onNext(answer);
      }
    }

    @Override
    public void onError(Throwable failure) {
      throw new UnsupportedOperationException("an answer is never an error of the stream");
    }

    @Override
    public synchronized void onCompleted() {
      if (!ended && !replies.isCancelled()) {
        ended = true;
        replies.onCompleted();
      }
    }
  }
}
