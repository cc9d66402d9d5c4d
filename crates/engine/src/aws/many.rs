//! Many questions at the same time, and not too many.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// So many questions are under way at most: Amazon throttles whoever asks more.
pub(super) const MOST_QUESTIONS: usize = 8;

/// What comes of all questions, in their order; or the first error, and then none is begun any more.
pub(super) async fn ask_all<F, T, E>(questions: Vec<F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>>,
{
    let mut waiting = questions.into_iter().enumerate();
    let mut asked: Vec<(usize, Pin<Box<F>>)> = Vec::new();
    let mut answers: Vec<(usize, T)> = Vec::new();
    poll_fn(|context| {
        loop {
            let free = MOST_QUESTIONS - asked.len();
            asked.extend(waiting.by_ref().take(free).map(|(at, question)| (at, Box::pin(question))));
            if asked.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let before = asked.len();
            let mut still = Vec::new();
            for (at, mut question) in asked.drain(..) {
                match question.as_mut().poll(context) {
                    Poll::Ready(Ok(answer)) => answers.push((at, answer)),
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => still.push((at, question)),
                }
            }
            asked = still;
            // Whoever takes a free place has to be asked, too, before it can wake anybody.
            if asked.len() == before {
                return Poll::Pending;
            }
        }
    })
    .await?;
    answers.sort_by_key(|(at, _)| *at);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn no_more_are_under_way_than_may_and_answers_keep_their_order() {
        let (under_way, most, begun) = (Cell::new(0), Cell::new(0), Cell::new(0));
        let ask = |at: usize, fails_at: usize| {
            let (under_way, most, begun) = (&under_way, &most, &begun);
            async move {
                under_way.set(under_way.get() + 1);
                begun.set(begun.get() + 1);
                most.set(most.get().max(under_way.get()));
                // The later ones are the quicker ones.
                for _ in at..30 {
                    tokio::task::yield_now().await;
                }
                under_way.set(under_way.get() - 1);
                if at == fails_at { Err(at) } else { Ok(at) }
            }
        };
        let all = ask_all((0..30).map(|at| ask(at, 99)).collect()).await;
        assert_eq!((all, most.get(), under_way.get()), (Ok((0..30).collect()), MOST_QUESTIONS, 0));
        assert_eq!(ask_all((0..0).map(|at| ask(at, 99)).collect()).await, Ok(vec![]));
        begun.set(0);
        assert_eq!(ask_all((0..30).map(|at| ask(at, 7)).collect()).await, Err(7));
        assert_eq!(begun.get(), MOST_QUESTIONS);
    }
}
