fn share<'life0, 'async_trait>(
    &'life0 self,
    __arg1: Path<Uuid>,
) -> ::core::pin::Pin<
    Box<
        dyn ::core::future::Future<
            Output = Result<(), AppError>,
        > + ::core::marker::Send + 'async_trait,
    >,
>
where
    'life0: 'async_trait,
    Self: 'async_trait,
{
    Box::pin(async move {
        let mut draft = ::audit_core::private::open("document.share");
        if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
            Result<(), AppError>,
        > {
            #[allow(unreachable_code)] return __ret;
        }
        let __self = self;
        let Path(id) = {
            let __arg1 = __arg1;
            __arg1
        };
        if ::audit_core::private::Draft::is_recording(&draft) {
            ::audit_core::private::target(&mut draft, "document", &id);
            ::audit_core::private::target(&mut draft, "user", &__self.user());
            ::audit_core::private::text(&mut draft, "role", &"x");
        }
        let output = async move {
            if false {
                return ::audit_core::private::return_type_hint::<Result<(), AppError>>();
            }
            {
                let __ret: Result<(), AppError> = {
                    __self.db.share(id).await?;
                    Ok(())
                };
                #[allow(unreachable_code)] __ret
            }
        }
            .await;
        {
            use ::audit_core::private::OutcomeOf as _;
            (&mut ::audit_core::private::Probe(&output)).__audit_close(draft);
        }
        output
    })
}
